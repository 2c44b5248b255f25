" Carrel in vim: `:Carrel [query]` picks passages of your notes and opens them, several as a quickfix list.
" Save it as ~/.vim/plugin/carrel.vim:  carrel init vim > ~/.vim/plugin/carrel.vim
" A key for it:  nnoremap <leader>k :Carrel<CR>
" `vim "$(carrel pick)"` works with it too: PATH:LINE opens PATH at LINE, where there is no file of that whole name.

if exists('g:loaded_carrel') || has('nvim') || has('gui_running')
  finish
endif
let g:loaded_carrel = 1

function! s:pick(query) abort
  let l:file = tempname()
  let l:words = empty(a:query) ? '' : ' -- ' . shellescape(a:query, 1)
  execute 'silent !carrel pick --multi --json --output ' . shellescape(l:file, 1) . l:words
  redraw!
  if getfsize(l:file) > 0
    call s:open(json_decode(join(readfile(l:file), "\n")).picked)
  endif
  call delete(l:file)
endfunction

function! s:open(picked) abort
  let l:places = []
  for l:row in a:picked
    let l:line = type(l:row.line_start) == v:t_number ? l:row.line_start : 1
    call add(l:places, {'filename': l:row.path, 'lnum': l:line, 'text': l:row.snippet})
  endfor
  execute 'edit +' . l:places[0].lnum fnameescape(l:places[0].filename)
  if len(l:places) > 1
    call setqflist([], ' ', {'title': 'Carrel', 'items': l:places})
    copen
    wincmd p
  endif
endfunction

function! s:at_line() abort
  let l:found = matchlist(expand('<afile>'), '\v^(.+):(\d+)$')
  if empty(l:found) || !filereadable(l:found[1])
    return
  endif
  let l:empty = bufnr('%')
  execute 'keepalt edit +' . l:found[2] fnameescape(l:found[1])
  execute 'bwipeout' l:empty
endfunction

command! -nargs=* Carrel call s:pick(<q-args>)
augroup carrel
  autocmd!
  autocmd BufNewFile *:[0-9]* nested call s:at_line()
augroup END
