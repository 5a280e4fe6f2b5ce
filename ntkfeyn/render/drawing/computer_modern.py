"""Computer Modern's metrics: how wide its glyphs are at 7 pt, the size of \\scriptsize, where they are widest.

From the font metric files of cmmi7, cmr7, cmbx7, cmss8, cmsy7, msbm7, eufm7 (width and italic correction); thousandths
of the size of the font.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits

LETTERS = ascii_uppercase + ascii_lowercase


def _widths(characters: str, numbers: str) -> dict[str, int]:
    return dict(zip(characters, map(int, numbers.split()), strict=True))


ITALIC = _widths(
    LETTERS,
    "859 912 889 965 894 878 889 1012 584 726 1030 784 1197 1012 900 881 900 866 756 829 885 921 1228 1015 918 848"
    " 620 502 511 595 542 669 593 669 404 531 631 367 1014 706 564 589 559 561 539 432 675 607 853 648 615 587",
)
ROMAN = _widths(
    LETTERS + digits,
    "843 799 815 860 768 737 884 843 413 583 874 706 1028 843 877 768 877 829 631 815 843 859 1166 843 871 692"
    " 569 631 508 631 508 434 585 631 323 354 600 323 938 631 569 631 600 446 453 446 631 616 831 600 616 508"
    " 569 569 569 569 569 569 569 569 569 569",
)
BOLD = _widths(
    LETTERS + digits,
    "968 914 931 985 844 809 1012 1002 479 665 1003 773 1215 1002 968 879 968 960 718 897 985 986 1341 968 1000 789"
    " 629 718 576 718 592 520 665 718 363 399 683 363 1073 718 647 718 683 535 512 505 718 700 949 683 700 576"
    " 647 647 647 647 647 647 647 647 647 647",
)
SANS = _widths(
    LETTERS + digits,
    "708 708 679 767 637 608 708 750 295 502 738 578 927 750 785 679 785 688 590 726 729 723 1018 708 735 649"
    " 510 549 472 549 472 398 546 549 253 283 519 253 844 549 531 549 549 378 407 384 549 504 740 490 504 462"
    " 531 531 531 531 531 531 531 531 531 531",
)
CALLIGRAPHIC = _widths(
    ascii_uppercase,
    "918 778 670 920 700 919 745 979 711 968 873 792 1343 1086 937 893 936 981 774 911 819 804 1219 965 848 904",
)
BLACKBOARD = _widths(
    ascii_uppercase,
    "722 667 722 722 667 611 778 778 389 500 778 667 944 722 778 611 778 722 556 667 722 722 1000 722 722 667",
)
FRAKTUR = _widths(
    LETTERS,
    "835 1014 721 958 775 719 908 837 658 656 781 779 1194 958 953 953 953 954 955 782 757 957 1190 836 959 710"
    " 600 613 480 598 492 411 603 622 360 362 480 361 888 628 587 600 587 479 537 419 618 612 895 479 598 481",
)
ALPHABETS = {
    "mathnormal": ITALIC,
    "mathit": ITALIC,
    "mathrm": ROMAN,
    "text": ROMAN,
    "textrm": ROMAN,
    "textnormal": ROMAN,
    "operatorname": ROMAN,
    "mbox": ROMAN,
    "mathbf": BOLD,
    "boldsymbol": BOLD,
    "bm": BOLD,
    "textbf": BOLD,
    "mathsf": SANS,
    "textsf": SANS,
    "mathcal": CALLIGRAPHIC,
    "mathscr": CALLIGRAPHIC,
    "mathbb": BLACKBOARD,
    "mathfrak": FRAKTUR,
}
SIGNS = {  # of maths: what is not a letter
    **dict.fromkeys(digits, 569),
    **{"(": 446, ")": 446, "[": 323, "]": 323, "+": 877, "=": 877, "<": 893, ">": 893, ",": 339, ".": 323, ";": 323},
    **{":": 323, "!": 323, "/": 585, "|": 339, "-": 893, "*": 585, "'": 329, "~": 333},
}
COMMANDS = {
    **{"alpha": 743, "beta": 699, "gamma": 662, "delta": 556, "epsilon": 476, "zeta": 585, "eta": 624, "theta": 575},
    **{"iota": 423, "kappa": 669, "lambda": 678, "mu": 695, "nu": 639, "xi": 554, "pi": 704, "rho": 593, "sigma": 698},
    **{"tau": 642, "upsilon": 669, "phi": 687, "chi": 714, "psi": 792, "omega": 756, "varepsilon": 540},
    **{"vartheta": 690, "varpi": 981, "varrho": 593, "varsigma": 516, "varphi": 751, "Gamma": 706, "Delta": 938},
    **{"Theta": 877, "Lambda": 782, "Xi": 754, "Pi": 843, "Sigma": 815, "Upsilon": 877, "Phi": 815, "Psi": 877},
    **{"Omega": 815, "infty": 1139, "prime": 329, "star": 585, "dagger": 524, "ddagger": 524, "{": 585, "}": 585},
    **{"langle": 462, "rangle": 462, "vert": 339, "times": 893, "cdot": 339, "ast": 585, "circ": 585, "bullet": 585},
    **{"nabla": 954, "partial": 672, "ell": 478, "sharp": 462, "flat": 462, "imath": 399, "jmath": 460, "hbar": 669},
    **{",": 167, ":": 222, ";": 278, " ": 333, "quad": 1139, "!": 0, "/": 0, "displaystyle": 0, "textstyle": 0},
    **{"left": 0, "right": 0, "big": 0, "bigl": 0, "bigr": 0, "rm": 0, "relax": 0, "limits": 0, "mathstrut": 0},
}
