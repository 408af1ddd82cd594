"""The emotion experiment, from corpus to pairs of words and voices (Section 6.2, A.2)."""

if emotion_made():

    rule demo_emotion:
        """Emotional dialogues spoken by espeak-ng as an IEMOCAP tree, and what is true of them."""
        input:
            code=code("demo_emotion.py"),
        output:
            tree=directory(f"{RUN}/raw/iemocap"),
            manifest=f"{RUN}/raw/iemocap.json",
            truth=f"{RUN}/raw/iemocap_truth.parquet",
        log:
            f"{RUN}/logs/demo_emotion.log",
        benchmark:
            f"{RUN}/benchmarks/demo_emotion.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=2000,
        params:
            demo=EMOTION["demo"],
        script:
            "../workflow/scripts/demo_emotion.py"


rule emotion_corpus:
    """Utterances with class and split, their tokens, and the stretches of sound these have."""
    input:
        emotion_made(),
        there(EMOTION_CORPORA, **EMOTION_FILES),
        code=code("emotion_corpus.py"),
    output:
        utterances=f"{SPOKEN}/utterances.parquet",
        tokens=f"{SPOKEN}/tokens.parquet",
        spans=f"{SPOKEN}/spans.parquet",
        skipped=f"{SPOKEN}/skipped.csv",
        counts=f"{SPOKEN}/counts.csv",
    log:
        f"{RUN}/logs/emotion_corpus.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_corpus.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        corpus=EMOTION["corpus"],
        roots={name: corpus_root(name) for name in EMOTION_CORPORA},
        fingerprints={name: fingerprint(name) for name in EMOTION_CORPORA},
        nominal=not emotion_made(),
        settings={
            name: EMOTION[name]
            for name in ("validation", "excited_as_happy", "calm_as_neutral", "others")
            + ("silence", "fillers", "seed", "max_skipped")
        },
    script:
        "../workflow/scripts/emotion_corpus.py"


rule emotion_voices:
    """Voice features of every stretch of sound, z-scored."""
    input:
        emotion_made(),
        utterances=rules.emotion_corpus.output.utterances,
        spans=rules.emotion_corpus.output.spans,
        code=code("emotion_voices.py"),
    output:
        voices=f"{SPOKEN}/voices.parquet",
    log:
        f"{RUN}/logs/emotion_voices.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_voices.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=3000,
    params:
        root=lambda wildcards: corpus_root(VOICED),
        voice={name: EMOTION["voice"][name] for name in ("features", "remove_offset", "scale")},
    script:
        "../workflow/scripts/emotion_voices.py"


rule voice_agreement:
    """Our voice features against openSMILE's, and the COVAREP toolbox's if given: table, figure."""
    input:
        emotion_made(),
        reference_there,
        spans=rules.emotion_corpus.output.spans,
        corpora=emotion_manifests(),
        code=code("voice_agreement.py"),
    output:
        table=reported("results/tables/voice_agreement.csv", "Section 6.2"),
        pdf=reported("results/figures/voice_agreement.pdf", "Section 6.2"),
        png=reported("results/figures/voice_agreement.png", "Section 6.2"),
    log:
        f"{RUN}/logs/voice_agreement.log",
    benchmark:
        f"{RUN}/benchmarks/voice_agreement.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=3000,
    params:
        run=config["run"],
        corpus=EMOTION_NAME,
        root=lambda wildcards: corpus_root(VOICED),
        remove_offset=EMOTION["voice"]["remove_offset"],
        reference=REFERENCE,
        fingerprint=reference_fingerprint(),
    script:
        "../workflow/scripts/voice_agreement.py"


rule emotion_words:
    """The vocabulary with its vectors, every word of the corpus, and which words a lexicon has."""
    input:
        tokens=rules.emotion_corpus.output.tokens,
        code=code("emotion_words.py"),
    output:
        words=f"{SPOKEN}/words.parquet",
        lexicon=f"{SPOKEN}/lexicon.parquet",
        vocabulary=f"{SPOKEN}/vocabulary.csv",
        broken=f"{SPOKEN}/lexicon_broken.csv",
    log:
        f"{RUN}/logs/emotion_words.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_words.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        words=EMOTION["words"],
        stamps=[stamp(EMOTION["words"]["glove"]), stamp(EMOTION["words"]["lexicon"])],
    script:
        "../workflow/scripts/emotion_words.py"


rule emotion_pairs:
    """Row numbers of every token with every voice of its utterance; and what ends training."""
    input:
        utterances=rules.emotion_corpus.output.utterances,
        tokens=rules.emotion_corpus.output.tokens,
        words=rules.emotion_words.output.words,
        code=code("emotion_pairs.py"),
    output:
        usable=f"{SPOKEN}/items.parquet",
        train=f"{SPOKEN}/pairs/train.parquet",
        stopping=f"{SPOKEN}/pairs/stopping.parquet",
    log:
        f"{RUN}/logs/emotion_pairs.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_pairs.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        pairs=EMOTION["pairs"],
    script:
        "../workflow/scripts/emotion_pairs.py"
