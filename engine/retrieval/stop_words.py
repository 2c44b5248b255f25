"""English words that say nothing alone: no word of a passage answers them.

They are the closed classes: articles, pronouns, prepositions, conjunctions, auxiliaries, adverbs that only join.
"""

_WRITTEN = """
    a about above across after again against ain all almost along already also although always am among an and another
    any anybody anyone anything anywhere are aren around as at away back be became because become becomes been before
    behind being below between both but by came can cannot come could couldn did didn do does doesn doing don done down
    during each either else enough etc even ever every everyone everything few for from further get gets getting give
    given go goes going gone got had hadn has hasn have haven having he hence her here hers herself him himself his how
    however i if in indeed instead into is isn it its itself just keep kept let like ll made make makes making many may
    maybe me might mine more most much must my myself near need neither never no nobody none nor not nothing now of off
    often on once one only onto or other others otherwise our ours ourselves out over own per perhaps please put quite
    rather re really s same see seem seems seen several shall she should shouldn since so some somebody someone
    something sometimes still such t take taken tell than that the their theirs them themselves then there therefore
    these they thing things this those though through thus to together too toward towards under unless until up upon us
    use used uses using ve very via was wasn way we well went were weren what whatever when whenever where whether which
    while who whoever whole whom whose why will with within without won would wouldn yes yet you your yours yourself
"""
STOP_WORDS = frozenset(_WRITTEN.split())
