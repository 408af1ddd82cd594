"""How well the demo's emotional dialogues can be classified: by voice alone and by words alone.

    python benchmarks/demo_emotion.py --features egemaps

writes the demo's IEMOCAP into a temporary folder, averages the voice features over the words of
every utterance, and classifies the four emotions by logistic regression. Each session is tested
with a model trained on the other four, so that no speaker is in both. Shuffled labels are the
control. With --meld FOLDER, the script instead prints how often an utterance of MELD with a word
from a lexicon is not neutral.
"""

import argparse
import collections
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from ima.datasets import iemocap, meld
from ima.datasets.synthetic import emotion as demo_emotion
from ima.datasets.wdseg import keep_tokens
from ima.features import voice
from ima.features.lexicon import PACKAGES, load_lexicon
from ima.utils.errors import InputError


def held_out(features, labels, sessions) -> tuple[float, float, float]:
    """Return the accuracy over all sessions, and the lowest and highest of a single session."""
    right = np.zeros(len(labels), bool)
    for session in np.unique(sessions):
        train = sessions != session
        model = LogisticRegression(C=0.1, max_iter=1000).fit(features[train], labels[train])
        right[~train] = model.predict(features[~train]) == labels[~train]
    each = [right[sessions == session].mean() for session in np.unique(sessions)]
    return right.mean(), min(each), max(each)


def utterance_means(root: Path, items: list[dict], spans: dict, features: str) -> np.ndarray:
    """Return the mean voice features over an utterance's words (n, D), NaN if unknown."""
    files = [root / item["file"] for item in items]
    tables = voice.extract_files(files, features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # features that are missing in all words
        return np.array(
            [
                np.nanmean(voice.word_vectors(table, spans[item["id"]], features), axis=0)
                for item, table in zip(items, tables, strict=True)
            ]
        )


def by_speaker(vectors: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Standardise each speaker's vectors by their own mean and deviation, without labels."""
    return voice.scale(vectors, speakers, voice.fit_scaler(vectors, speakers))


def report_lexicons(truth) -> None:
    """Print precision and recall of the installed open lexicons on the truly emotional words."""
    tokens = truth["token"].to_pylist()
    true = np.array([bool(e) for e in truth["word_emotion"].to_pylist()])
    print(f"emotional words: {true.mean():.3f} of {true.size:,}")
    for name in PACKAGES:
        try:
            found = load_lexicon(name).table(tokens)["emotional"].to_numpy()
        except InputError as error:
            print(error)
            continue
        hits = (found & true).sum()
        print(f"{name}: precision {hits / found.sum():.3f}, recall {hits / true.sum():.3f}")


def report_meld(root: str) -> None:
    """Print how often utterances of MELD are not neutral, with and without a lexicon's word."""
    utterances, tokens, _ = meld.index(root)
    moved = np.array([emotion != "neutral" for emotion in utterances["emotion"].to_pylist()])
    words, of = tokens["token"].to_pylist(), np.array(tokens["utterance"].to_pylist())
    for name in PACKAGES:
        found = np.array(load_lexicon(name).table(words)["emotional"].to_pylist())
        has = np.isin(utterances["id"].to_pylist(), of[found])
        print(
            f"{name}: {found.mean():.3f} of the words; not neutral with one "
            f"{moved[has].mean():.3f}, without {moved[~has].mean():.3f}"
        )


def main() -> None:
    """Write the demo, measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", default="egemaps", choices=("egemaps", "covarep55"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dialogues", type=int, default=4, help="dialogues per session")
    parser.add_argument("--turns", type=int, default=52, help="turns per dialogue")
    parser.add_argument("--meld", help="folder of MELD's csv files")
    args = parser.parse_args()
    if args.meld:
        report_meld(args.meld)
        return
    with tempfile.TemporaryDirectory() as folder:
        root, start = Path(folder), time.process_time()
        truth = demo_emotion.write_iemocap(root, args.dialogues, args.turns, args.seed)
        print(f"written in {time.process_time() - start:.0f} CPU s, without those of espeak-ng")
        utterances, tokens, _ = iemocap.index(root)
        tokens, _ = keep_tokens(tokens, silence="drop")
        items = [row for row in utterances.to_pylist() if row["label"] >= 0]
        spans, texts = collections.defaultdict(list), collections.defaultdict(list)
        for row in tokens.to_pylist():
            spans[row["utterance"]].append((row["start_s"], row["end_s"]))
            texts[row["utterance"]].append(row["token"])
        vectors = utterance_means(root, items, spans, args.features)
    labels, sessions, speakers = (
        np.array([item[name] for item in items]) for name in ("label", "session", "speaker")
    )
    seconds = sum(item["samples"] / item["rate"] for item in items)
    print(f"{len(utterances)} utterances, {len(items)} of the four classes, {seconds:.0f} s")
    plain = voice.scale(vectors, speakers, voice.fit_scaler(vectors, speakers, by="all"))
    counts = CountVectorizer(analyzer=lambda words: words, binary=True)
    words = counts.fit_transform([texts[item["id"]] for item in items]).toarray().astype(float)
    shuffled = np.random.default_rng(0).permutation(labels)
    for name, features, of in (
        ("voice", plain, labels),
        ("voice, z-scored by speaker", by_speaker(vectors, speakers), labels),
        ("words", words, labels),
        ("voice, shuffled labels", plain, shuffled),
    ):
        accuracy, least, most = held_out(features, of, sessions)
        print(f"{name}: accuracy {accuracy:.3f}, by session {least:.3f} to {most:.3f}")
    report_lexicons(truth)


if __name__ == "__main__":
    main()
