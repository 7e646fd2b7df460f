"""What a person may ask of `make matrix` and `make proof` alike. Must not know what either runs."""

import argparse


def parser(program: str, description: str, *, of: str, page: str) -> argparse.ArgumentParser:
    """`of`: what is named to run some of it only; `page` is the path of the page without its suffix."""
    made = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    made.add_argument("only", nargs="*", help=f"{of} (all)")
    made.add_argument("--again", action="store_true", help="run again what has failed")
    made.add_argument("--key", help="continue the results of that state of the sources")
    made.add_argument("--table", action="store_true", help="run nothing, show what is known")
    made.add_argument("--publish", action="store_true", help=f"write {page}.md and {page}.json")
    made.add_argument("--note", default="", help="what else the page shall say of the machine")
    return made
