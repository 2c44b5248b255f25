-- Carrel in neovim: `:Carrel [query]` picks passages of your notes and opens them, several as a quickfix list.
-- Save it as a plugin:  carrel init neovim > ~/.config/nvim/plugin/carrel.lua
-- A key for it:  vim.keymap.set('n', '<leader>k', '<cmd>Carrel<cr>')
-- `nvim "$(carrel pick)"` works with it too: PATH:LINE opens PATH at LINE, where there is no file of that whole name.

local function open(picked)
  local places = {}
  for _, row in ipairs(picked) do
    local line = type(row.line_start) == 'number' and row.line_start or 1
    table.insert(places, { filename = row.path, lnum = line, text = row.snippet })
  end
  vim.cmd('edit +' .. places[1].lnum .. ' ' .. vim.fn.fnameescape(places[1].filename))
  if #places > 1 then
    vim.fn.setqflist({}, ' ', { title = 'Carrel', items = places })
    vim.cmd('copen | wincmd p')
  end
end

local function pick(query)
  local file = vim.fn.tempname()
  local command = { 'carrel', 'pick', '--multi', '--json', '--output', file }
  if query ~= '' then
    vim.list_extend(command, { '--', query })
  end
  vim.cmd('tabnew')
  local buffer = vim.api.nvim_get_current_buf()
  local function ended()
    local text = table.concat(vim.fn.readfile(file), '\n')
    vim.fn.delete(file)
    vim.api.nvim_buf_delete(buffer, { force = true })
    if text ~= '' then
      open(vim.fn.json_decode(text).picked)
    end
  end
  if vim.fn.has('nvim-0.11') == 1 then
    vim.fn.jobstart(command, { term = true, on_exit = ended })
  else
    vim.fn.termopen(command, { on_exit = ended })
  end
  vim.cmd('startinsert')
end

local function at_line()
  local path, line = vim.fn.expand('<afile>'):match('^(.+):(%d+)$')
  if path == nil or vim.fn.filereadable(path) == 0 then
    return
  end
  local empty = vim.api.nvim_get_current_buf()
  vim.cmd('keepalt edit +' .. line .. ' ' .. vim.fn.fnameescape(path))
  vim.api.nvim_buf_delete(empty, { force = true })
end

vim.api.nvim_create_user_command('Carrel', function(call)
  pick(call.args)
end, { nargs = '*' })
vim.api.nvim_create_autocmd('BufNewFile', { pattern = '*:[0-9]*', nested = true, callback = at_line })
