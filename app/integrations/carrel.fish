# Carrel in fish: ctrl+alt+k picks passages of your notes and puts their places, quoted, into the command line.
# In ~/.config/fish/config.fish:  carrel init fish | source
# Before it, if wanted:  set CARREL_PICK_KEY \cx\ck  another key;  set CARREL_PICK_OPTIONS --height 80%  other options

function __carrel_pick
    set -l options --height 50%
    set -q CARREL_PICK_OPTIONS; and set options $CARREL_PICK_OPTIONS
    for place in (carrel pick --multi --print0 $options | string split0)
        commandline --insert -- (string escape -- $place)' '
    end
    commandline --function repaint
end

set -q CARREL_PICK_KEY; and bind $CARREL_PICK_KEY __carrel_pick; or bind \e\ck __carrel_pick
