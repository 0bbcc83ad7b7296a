"""How a plain tree is changed by somebody who should not."""

import random

from clearsplit_core.plain import Plain


def with_a_change(tree: Plain, luck: random.Random) -> Plain:
    """`tree` with another value in one place."""
    if isinstance(tree, dict) and tree:
        name = luck.choice(sorted(tree))
        return {**tree, name: with_a_change(tree[name], luck)}
    if isinstance(tree, list) and tree:
        place = luck.randrange(len(tree))
        return [*tree[:place], with_a_change(tree[place], luck), *tree[place + 1 :]]
    return _changed(tree, luck)


def _changed(leaf: Plain, luck: random.Random) -> Plain:
    match leaf:
        case bool():
            return not leaf
        case int():
            return leaf + luck.choice([-1, 1, 1000])
        case str() if leaf:
            place = luck.randrange(len(leaf))
            return (
                leaf[:place]
                + luck.choice("0123456789abcdef-".replace(leaf[place], ""))
                + leaf[place + 1 :]
            )
        case None:
            return "0" * 64
        case _:
            return None
