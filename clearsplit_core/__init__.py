"""ClearSplit's rules: money, splits, journal and settlement. Standard library only."""
