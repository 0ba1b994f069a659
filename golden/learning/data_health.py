"""What samples cannot teach or test, said before anything is trained on them."""

from collections.abc import Iterable

from .datasets import Dataset

__all__ = ["examine_data"]

LISTED = 8
"""Classes that a sentence names."""


def examine_data(data: Dataset) -> tuple[str, ...]:
    """Sentences about classes that are missing on one side or on both, and about inputs that do not differ."""
    return (*data.remarks, *_classes(data), *_inputs(data))


def _classes(data: Dataset) -> Iterable[str]:
    trained, asked = set(data.train.labels.tolist()), set(data.test.labels.tolist())
    cure = "use data files with all classes" if data.split == "files" else (
        "set data.split to 'stratified'" if data.split != "stratified" else "give more samples of them")
    if len(trained) == 1:
        yield (f"every training sample is of class {min(trained)}, so that there is nothing to tell apart; give "
               "samples of other classes, in a random order.")
    if unknown := asked - trained:
        yield (f"held-out samples are of {_names(unknown)}, which no training sample is; {cure}, or bring the samples "
               "into a random order.")
    if untested := trained - asked:
        yield f"no held-out sample is of {_names(untested)}, so that the accuracy says nothing about them; {cure}."
    if absent := set(range(data.train.classes)) - trained - asked:
        counted = " Classes count from 0: where yours count from 1, subtract 1." if 0 in absent else ""
        yield (f"no sample is of {_names(absent)} of the {data.train.classes} that the network tells apart; give it as "
               f"many outputs as there are classes.{counted}")


def _inputs(data: Dataset) -> Iterable[str]:
    codes = data.train.codes
    if len(codes) > 1 and (codes == codes[:1]).all():
        what = "0" if not codes.any() else "the same"
        yield (f"all {len(codes)} training inputs are {what}, so that there is nothing to learn; look at how they are "
               "made.")


def _names(classes: set[int]) -> str:
    """Class numbers, the first of many."""
    some = [str(c) for c in sorted(classes)]
    return f"class{'es' * (len(some) > 1)} {', '.join(some[:LISTED])}{', ..' * (len(some) > LISTED)}"
