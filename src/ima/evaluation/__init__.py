"""Metrics, experiments and controls.

represent             representations of pairs by a trained model (Eq. 1)
metrics               Precision@K of retrieval, and F1 of noise detection
neighbours            exact nearest neighbours
fusion                weights of modalities, and distances of their latents to z
classifier            accuracy of a network on representations
reference             raw features, PCA and chance, for comparison
reference_accuracy    the same for the classifier
peers                 scores of other methods
generation            items generated from other modalities, and their coherence
rho_sweep             noise detection over rho
seeds                 means and standard deviations over seeds
item_errors           standard errors of scores over test items
multiple_tests        correction of p values
tsne                  maps of hidden layers and representations
complexity            parameters, loss terms and training time
feature_ablation      digit accuracy of variants of the speech features
voice_agreement       our voice features against openSMILE
noise_benchmark       harder noise, with `noise_makers` and `noise_baselines`
rivals                other unsupervised detectors of noise
missing_modalities    training with incomplete pairs
readings              choices that the paper leaves open
emotion               words, voices and utterances
user                  what modalities of user data share, and the effect of weighting
"""
