"""IMA, its objectives and its baselines.

ima           the network: encoders, decoders, importance networks, and Eq. 1 (`fuse`)
objectives    the losses of both stages: the paper's (Eqs. 2 to 4), `ima+` and `mixture`
autoencoder   training of stage 1
importance    training of stage 2, with many copies in parallel
stages        both stages in turn, with folds for `mixture`
mixture       training of the objective `mixture`, from `ranks` and `rank_density`
compared      values by which `ranks` compares items: latents, components, Fourier features
concordance   how well the items of a pair fit together
cca           canonical correlations of held-out pairs, for `ima+`
shared        the part of each latent that other modalities share
shared_encoders    encoders of what modalities share, without decoders
shared_utterances  the same for utterances of several tokens
contrastive   encoders that agree on pairs, and networks that select pairs for each other
own           encoders and decoders of the user
checkpoints   models from files
baselines     JMVAE-KL, MVAE and the denoising autoencoder
peers         other methods that represent pairs, for `own.compare`
"""
