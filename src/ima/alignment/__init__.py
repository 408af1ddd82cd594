"""Forced alignment: find the time span of each digit in recordings of known digit strings.

The digits of each recording are known, but not their positions. Whole-word hidden Markov models
(Rabiner, 1989) of the eleven words and of silence are trained on the corpus that is to be
segmented, without an external model. They are initialised on one-digit strings, re-estimated on
whole strings and adapted to each speaker. The best path of a recording through its digit string
gives the boundaries. docs/segmentation.md explains the design choices and reports measurements.

    frontend     cepstra and the audible part of a recording
    viterbi      the compiled inner loops
    hmm          the models: initialisation, training and speaker adaptation
    quality      criteria for doubtful cuts
    align        `align` and the baseline `equal_split`
    methods      the segmentation methods by their name in the config
    evaluation   `score` against ground truth, and its readers `read_truth` and `read_ctm`
    examples     recordings selected for visual inspection
    sentences    `align_sentences`: words of RAVDESS' two sentences

As a command: python -m ima.alignment --root TREE --out segments.parquet [--ctm FILE | --truth CSV]

References:
    L. R. Rabiner (1989), A tutorial on hidden Markov models and selected applications in speech
    recognition. B.-H. Juang, L. R. Rabiner (1990), The segmental k-means algorithm for estimating
    parameters of hidden Markov models. J.-L. Gauvain, C.-H. Lee (1994), Maximum a posteriori
    estimation for multivariate Gaussian mixture observations of Markov chains.
"""

from ima.alignment.align import align, equal_split
from ima.alignment.evaluation import read_ctm, read_truth, score

__all__ = ["align", "equal_split", "read_ctm", "read_truth", "score"]
