"""``python -m gradverify``, and the entry point of the command."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    from gradverify.cli import main as run  # noqa: PLC0415  keeps the import of this module free of cost

    run()


if __name__ == "__main__":
    main()
