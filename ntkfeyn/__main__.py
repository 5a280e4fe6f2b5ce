"""python -m ntkfeyn"""

from ntkfeyn.cli import main

main()
