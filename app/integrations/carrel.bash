# Carrel in bash: ctrl+alt+k picks passages of your notes and puts their places, quoted, into the command line.
# In ~/.bashrc:  eval "$(carrel init bash)"
# Before it, if wanted:  CARREL_PICK_KEY='\C-x\C-k'  another key;  CARREL_PICK_OPTIONS=(--height 80%)  other options

__carrel_pick() {
  local picked options=(--height 50%)
  [[ -v CARREL_PICK_OPTIONS ]] && options=("${CARREL_PICK_OPTIONS[@]}")
  picked="$(carrel pick --multi --print0 "${options[@]}" |
    while IFS= read -r -d '' place; do printf '%q ' "$place"; done)"
  READLINE_LINE="${READLINE_LINE:0:READLINE_POINT}$picked${READLINE_LINE:READLINE_POINT}"
  READLINE_POINT=$((READLINE_POINT + ${#picked}))
}
bind -x "\"${CARREL_PICK_KEY:-\e\C-k}\": __carrel_pick"
