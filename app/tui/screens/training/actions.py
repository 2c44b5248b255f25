"""What a person can do on the training screen, and what its help says beside the keys."""

from __future__ import annotations

from app.tui.actions import Action
from app.tui.training_port import Run

TRAINING_ACTIONS = (
    Action("training.choose", "enter,space,x", "choose", "choose", "Choose this line",
           "Take a source or leave it, pick a recipe, begin; among the runs: open the selected one.",
           shown_key="enter"),
    Action("training.more", "right,l", "step(1)", "more", "More examples to learn from",
           "Learn from more examples, or fewer.", shown_key="← →", palette=False, late=True),
    Action("training.less", "left,h", "step(-1)", "", "Fewer examples to learn from", "", footer=False, palette=False),
    Action("training.begin", "b", "begin", "begin", "Begin to retrain",
           "Start a run with what is chosen. It goes on when Carrel is closed."),
    Action("training.pause", "p", "order('pause')", "pause", "Pause the run", "Let the run wait; o lets it go on."),
    Action("training.resume", "o", "order('resume')", "go on", "Let the run go on",
           "Let a paused run go on; take up one that broke off, from its last checkpoint."),
    Action("training.review", "e", "review", "examples", "Look at the examples before the run learns them",
           "Accept or reject the examples that a run waits with, one by one."),
    Action("training.stop", "s", "order('stop')", "stop", "Stop the run and judge the best so far",
           "End training now, and judge the best that it has reached."),
    Action("training.cancel", "c", "order('cancel')", "cancel", "Cancel the run",
           "End the run and keep nothing of it; asks."),
    Action("training.use", "u", "order('use')", "use it", "Take the run's model into use",
           "Search with the retrained model; asks, and says what happens."),
    Action("training.beside", "w", "order('beside')", "run beside", "Let the run's model run beside the one in use",
           "Compare what both find, while you search with the present one."),
    Action("training.rollback", "r", "rollback", "model before", "Go back to the model before",
           "Search with the model that was in use before; asks."),
    Action("training.note", "n", "order('note')", "note", "Write a note for this run",
           "Keep a line of words with the run."),
    Action("training.delete", "delete,D", "order('delete')", "delete", "Delete this run",
           "Delete a run that is over, and the model that it made; says what goes, and asks."),
    Action("training.page", "tab", "turn(1)", "page", "Next page of the training screen",
           "Go on to the next page: plan, run, history, beside."),
    Action("training.page_back", "shift+tab", "turn(-1)", "", "Page before", "", footer=False, palette=False),
    Action("training.back", "escape,slash", "back", "search", "Back to the search", "Go back to the search."),
)  # fmt: skip

BESIDE_ACTIONS = (
    Action("training.beside_review", "r,enter", "screen.order_beside('review')", "review", "Review two models blind",
           "Choose between two lists of five, without knowing which model found which.", shown_key="r"),
    Action("training.beside_promote", "p", "screen.order_beside('promote')", "use it", "Take the model beside into use",
           "Search with the model that runs beside; asks. The one in use is then kept beside it."),
    Action("training.beside_back", "b", "screen.order_beside('go_back')", "model before",
           "Go back to the model kept beside",
           "Search with the model that was in use before; asks."),
    Action("training.beside_stop", "x,delete", "screen.order_beside('stop')", "stop", "Let nothing run beside",
           "Let the model run beside no longer; its vectors stay, and are not kept current.", shown_key="x"),
)  # fmt: skip

LIST_REVIEW_ACTIONS = (
    Action("lists.left", "left,h", "choose('left')", "first", "The left or upper list answers better",
           "The list at the left, or the upper one, answers the question better.", shown_key="←"),
    Action("lists.right", "right,l", "choose('right')", "second", "The right or lower list answers better",
           "The list at the right, or the lower one, answers the question better.", shown_key="→"),
    Action("lists.same", "equals_sign,s", "choose('tie')", "same", "Both lists answer as well",
           "Both lists answer the question as well.", shown_key="="),
    Action("lists.neither", "n", "choose('neither')", "neither", "Neither list answers",
           "Neither of the lists answers the question."),
    Action("lists.leave", "q,escape", "leave", "later", "Leave the review; all is kept",
           "Go back; what was chosen is kept, and the review goes on where it was.", shown_key="q"),
)  # fmt: skip

HELP_PAGES = (
    (
        "What a run does",
        (
            ("queries", "makes questions whose answer is known: what you marked and opened, links, headings"),
            ("mining", "asks them of meaning alone and of words alone, and keeps what the two disagree on"),
            ("training", "shows the model the right passage, and the wrong ones that it took for it"),
            ("judging", "asks questions that the model never saw, and compares"),
            ("export", "makes a model of it that Carrel can load"),
        ),
    ),
    (
        "How it is shown",
        (
            ("meaning blind", "words find the passage, meaning does not; words blind is the other way round"),
            ("├──●──┤", "a difference and the interval that holds it in 95 of 100 cases; │ stands for no difference"),
            ("NDCG@10", "how well the first ten results are ordered: 1 is perfect"),
            ("25 % tuned", "a quarter of the tuned model and three of the one before; the best mixture is kept"),
            ("drift", "how far the same passages moved, as mean cosine distance: 0 is not at all"),
            ("memory on, off", "with or without what you marked and opened: a gain must be one beyond that"),
        ),
    ),
    (
        "What it never does",
        (
            ("change your notes", "they are only read"),
            ("send anything", "everything happens on this machine"),
            ("take over unasked", "a model is used once you say so, and r goes back to the one before"),
        ),
    ),
)


def useful_for(run: Run, *, paused: bool, awaits_review: bool) -> set[str]:
    """Return the names of the orders that do something with a run now."""
    if run.alive:
        waits = {"review"} if awaits_review else set()
        return waits | {"resume" if paused else "pause", "stop", "cancel"}
    useful = {"note"} if run.use else {"note", "delete"}
    useful |= {"resume"} if run.state == "crashed" else set()
    useful |= {"beside"} if run.model and not run.use else set()
    return useful | ({"use"} if run.promotable and not run.use else set())
