"""How LaTeX commands look on paper (letters, signs, accents), and which commands carry words at all."""

from __future__ import annotations

import re
import unicodedata

ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331",
}  # fmt: skip

JOINTS = {"---": "—", "--": "–", "``": "“", "''": "”"}
SPACES = {"par": " ", "newline": " ", "linebreak": " ", "and": ", ", "item": "- "}
_GREEK = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta θ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ "
    "Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω"
)
_MATHS = (
    "times × cdot · div ÷ pm ± mp ∓ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ approx ≈ equiv ≡ sim ∼ propto ∝ infty ∞ "
    "partial ∂ nabla ∇ sum ∑ prod ∏ int ∫ oint ∮ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ cup ∪ "
    "cap ∩ emptyset ∅ forall ∀ exists ∃ neg ¬ land ∧ wedge ∧ lor ∨ vee ∨ to → rightarrow → leftarrow ← Rightarrow ⇒ "
    "implies ⇒ Leftarrow ⇐ iff ⇔ Leftrightarrow ⇔ leftrightarrow ↔ mapsto ↦ ldots … dots … cdots … vdots ⋮ circ ∘ "
    "bullet • star ⋆ oplus ⊕ otimes ⊗ perp ⊥ parallel ∥ angle ∠ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ "
    "ell ℓ hbar ℏ Re ℜ Im ℑ aleph ℵ setminus ∖ mid ∣ ll ≪ gg ≫ cong ≅ prime ′ dagger † sqrt √"
)
_LETTERS = "ss ß SS ẞ ae æ AE Æ oe œ OE Œ o ø O Ø aa å AA Å l ł L Ł i ı j ȷ dh ð DH Ð th þ TH Þ dj đ DJ Đ ng ŋ NG Ŋ"
_TEXT_SIGNS = (
    "S § P ¶ copyright © textregistered ® texttrademark "
    "™ pounds £ euro € textdegree ° textbar | textbackslash \\ textasciitilde ~ textasciicircum ^ textless < "
    "textgreater > textendash – textemdash — textellipsis … textbullet • LaTeX LaTeX TeX TeX textquoteleft ‘ "
    "textquoteright ’ textquotedblleft “ textquotedblright ” lbrace { rbrace } item - "
    "textquotesingle ' guillemotleft « guillemotright » guillemetleft « guillemetright » textmu µ"
)


def _pairs(written: str) -> dict[str, str]:
    words = written.split()
    return dict(zip(words[::2], words[1::2], strict=True))


LETTERS = _pairs(_LETTERS)
"""Commands that stand for a letter inside a word."""
SIGNS = {**_pairs(_GREEK), **_pairs(_MATHS), **LETTERS, **_pairs(_TEXT_SIGNS), "quad": " ", "qquad": " ", "space": " "}

_FUNCTIONS_WRITTEN = (
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim limsup liminf max min sup inf det "
    "dim ker deg gcd arg hom Pr mod"
)
FUNCTIONS = frozenset(_FUNCTIONS_WRITTEN.split())
"""Commands whose name is what stands on paper."""

HEADINGS = {
    "part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5, "subparagraph": 6,
    "frametitle": 2, "addchap": 1, "addsec": 2,
}  # fmt: skip
"""Commands whose argument is a heading, and how deep it stands."""

ARRAYS = frozenset(("tabular", "array", "longtable", "tabularx", "tabulary"))
SETTINGS = {
    **dict.fromkeys(("tabular", "array", "longtable", "minipage", "subfigure", "subtable", "multicols", "column"), 1),
    **dict.fromkeys(
        ("adjustbox", "thebibliography", "spacing", "alignat", "alignat*", "textblock", "otherlanguage"), 1
    ),
    **dict.fromkeys(("tabular*", "tabularx", "tabulary", "wrapfigure", "wraptable", "adjustwidth", "list"), 2),
}
"""How many arguments of an environment say how it is set and carry no words."""

APART = {
    **dict.fromkeys(("footnote", "footnotetext", "marginpar", "thanks", "sidenote", "marginnote", "todo"), (" (", ")")),
    **dict.fromkeys(("title", "author", "date", "subtitle", "institute", "affiliation", "affil", "email"), (" ", " ")),
}
"""Commands whose argument stands elsewhere on paper, and what parts it here from the words beside it."""

_SILENT_ARGUMENTS = {
    1: (
        "label ref eqref pageref autoref cref Cref vref nameref cite citep citet citeauthor citeyear citealp parencite "
        "textcite footcite autocite nocite bibliography bibliographystyle addbibresource includegraphics input include "
        "subfile usepackage documentclass RequirePackage pagestyle thispagestyle vspace hspace stepcounter "
        "refstepcounter geometry hypersetup graphicspath pagenumbering theoremstyle selectlanguage index glossary "
        "phantom hphantom vphantom color pagecolor usetikzlibrary lstset captionsetup externaldocument includeonly "
        "hyphenation bibitem tikzset newcounter value arabic roman Roman alph Alph linespread usetheme usecolortheme "
        "textcolor href colorbox raisebox parbox foreignlanguage"
    ),
    2: (
        "setlength addtolength setcounter addtocounter newtheorem rule "
        "resizebox DeclareMathOperator fontsize multicolumn multirow"
    ),
    3: "newenvironment renewenvironment addcontentsline definecolor",
}
SILENT = {name: count for count, names in _SILENT_ARGUMENTS.items() for name in names.split()}
"""Commands whose first arguments carry no words, and how many of them do not."""

_WRITTEN_LETTER = re.compile(
    r"""\\(?:([`'^"~=.])[ \t]*+(?:\{[ \t]*+\\?([a-zA-Z])[ \t]*+\}|\\?([a-zA-Z]))"""
    r"|([cvuHkrdb])(?:[ \t]*+\{[ \t]*+\\?([a-zA-Z])[ \t]*+\}|[ \t]++\\?([a-zA-Z]))"
    r"|([a-zA-Z]++)[ \t]*+(?:\{\})?|([%&#_$]))"
)


def with_letters(text: str) -> str:
    """Return a piece of LaTeX with its accents and letters as characters; of other commands only arguments stay."""

    def letter(match: re.Match[str]) -> str:
        """Return what one command looks like on paper."""
        accent, braced, bare, named, named_braced, named_bare, command, sign = match.groups()
        if accent or named:
            return accented(braced or bare or named_braced or named_bare, accent or named)
        return sign or SIGNS.get(command, "")

    return _WRITTEN_LETTER.sub(letter, text) if "\\" in text else text


def accented(letter: str, accent: str) -> str:
    """Put an accent on a letter, as one character where there is one."""
    base = {"ı": "i", "ȷ": "j"}.get(letter, letter)
    return unicodedata.normalize("NFC", base + ACCENTS[accent])
