"""Where each digit of a recording lies: forced alignment of known digit strings.

The digits of a string are known, only their places are not. Whole-word hidden Markov models
(Rabiner, 1989) of the eleven words and of silence are trained on the very corpus that is cut,
with no outside model: started on the one-digit strings, re-estimated on whole strings, then
adapted to each speaker. The best path of a recording through its own string gives the cuts.
docs/segmentation.md has the choices, their reasons and what was measured.

    features   cepstra, and where the audible part lies
    viterbi    the inner loops, compiled
    hmm        the models: start, training, speaker adaptation
    doubt      what makes a cut doubtful
    align      `align` and the baseline `equal_split`
    scoring    `score` against a truth, and its readers `read_truth` and `read_ctm`

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
