# Carrel in zsh: ctrl+alt+k picks passages of your notes and puts their places, quoted, into the command line.
# In ~/.zshrc:  eval "$(carrel init zsh)"
# Before it, if wanted:  CARREL_PICK_KEY='^X^K'  another key;  CARREL_PICK_OPTIONS=(--height 80%)  other options

carrel-pick-widget() {
  emulate -L zsh
  local -a picked options
  options=(--height 50%)
  (( ${+CARREL_PICK_OPTIONS} )) && options=($CARREL_PICK_OPTIONS)
  picked=("${(@0)$(carrel pick --multi --print0 $options)}")
  picked=(${picked:#})
  (( $#picked )) && LBUFFER+="${(j: :)${(@q+)picked}} "
  zle reset-prompt
}
zle -N carrel-pick-widget
bindkey "${CARREL_PICK_KEY:-^[^K}" carrel-pick-widget
