"""The parts of long extractions that several jobs compute, if the config has `shards`."""

if config["shards"] > 1:

    use rule recordings as recordings_shard with:
        input:
            *(file for corpus in config["speech"]["corpora"] for file in made_by_rule(corpus)),
            require_corpora(DIGIT_CORPORA),
        output:
            recordings=f"{RUN}/shards/recordings/{{scatteritem}}.parquet",
            waves=temp(f"{RUN}/shards/recordings/{{scatteritem}}.arrow"),
            skipped=f"{RUN}/shards/recordings/{{scatteritem}}.csv",
        log:
            f"{RUN}/logs/recordings_{{scatteritem}}.log",
        benchmark:
            f"{RUN}/benchmarks/recordings_{{scatteritem}}.tsv"

    use rule mfcc as mfcc_shard with:
        input:
            recordings=rules.recordings.output.recordings,
            waves=rules.recordings.output.waves,
            segments=rules.segment.output.segments,
        output:
            features=temp(f"{RUN}/shards/mfcc/{{scatteritem}}.parquet"),
        log:
            f"{RUN}/logs/mfcc_{{scatteritem}}.log",
        benchmark:
            f"{RUN}/benchmarks/mfcc_{{scatteritem}}.tsv"

    use rule emotion_voices as emotion_voices_shard with:
        input:
            made_by_rule(VOICED),
            utterances=expand(rules.emotion_corpus.output.utterances, fold=EMOTION_FOLDS),
            spans=expand(rules.emotion_corpus.output.spans, fold=EMOTION_FOLDS),
        output:
            vectors=f"{RUN}/shards/voices/{{scatteritem}}.npy",
        log:
            f"{RUN}/logs/emotion_voices_{{scatteritem}}.log",
        benchmark:
            f"{RUN}/benchmarks/emotion_voices_{{scatteritem}}.tsv"
