"""Other methods that say which items share nothing with their partners, without labels (6.1).

study          IMA and all detectors on one problem of `ima.evaluation.noise_benchmark`
base           what detectors are given, and how scores become decisions
autoencoder    stage 1's reconstruction error, and the distance of u from z
mvae           variance of MVAE's experts
contrastive    similarity of the pair, and networks that select each other's pairs
linear         canonical correlation of the pair, and variance that shared factors explain
neighbours     modality weights of weighted nearest neighbours
unusual        isolation forest
"""
