"""Gradient boosting against the ideal observer.

Reads what `challenger_features` wrote: a training file and a test file of the same world under another seed, the
latter with the ideal observer's probability of the truth. Prints the log loss of both on the test file, and
whether the challenger beats the observer by more than three standard errors.
"""

import sys

import lightgbm
import numpy


def read(path, columns):
    rows = numpy.fromfile(path, dtype="<f4").reshape(-1, columns)
    return rows[:, 0].astype(int), rows[:, 1], rows[:, 2:]


def main():
    world, train, test, columns, rounds = sys.argv[1:6]
    columns, rounds = int(columns), int(rounds)
    cause, _, features = read(train, columns)
    truth, ideal, unseen = read(test, columns)
    known = numpy.unique(cause)
    place = {cause: place for place, cause in enumerate(known)}
    hold = len(cause) // 10
    labels = numpy.array([place[one] for one in cause])
    fit = lightgbm.Dataset(features[hold:], labels[hold:])
    check = lightgbm.Dataset(features[:hold], labels[:hold], reference=fit)
    settings = {
        "objective": "multiclass",
        "num_class": len(known),
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "verbosity": -1,
        "num_threads": 2,
        "seed": 1,
        "deterministic": True,
    }
    stop = lightgbm.early_stopping(15, verbose=False)
    model = lightgbm.train(settings, fit, rounds, valid_sets=[check], callbacks=[stop])
    said = model.predict(unseen)
    of_truth = numpy.array(
        [said[row, place[one]] if one in place else 0.0 for row, one in enumerate(truth)]
    )
    challenger = -numpy.log(numpy.maximum(of_truth, 1e-6))
    observer = -numpy.log(numpy.maximum(ideal, 1e-6))
    difference = challenger - observer
    error = difference.std() / numpy.sqrt(len(difference))
    right = (known[said.argmax(axis=1)] == truth).mean()
    verdict = "holds" if difference.mean() > -3 * error else "IS BEATEN"
    print(
        f"| {world} | {len(cause)} | {model.best_iteration} | {len(truth)} | {challenger.mean():.4f} |"
        f" {observer.mean():.4f} | {difference.mean():+.4f} ± {error:.4f} | {right:.4f} | {verdict} |"
    )


main()
