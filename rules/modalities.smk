"""Which modalities there are, whose files the pairs' row numbers count, and what pairs them.

Every later rule takes from here FEATURES, PAIRS and LAYERS, and knows no modality by name. They
are the two of the digits or, where the config has `own`, those of a user's own data.
"""

from ima.workflow.config import check_modalities

if OWN:

    include: "own_data.smk"

else:
    MODALITIES = ["image", "speech"]
    check_modalities(
        MODALITIES, {"model": config["model"], "importance.rho": config["importance"]["rho"]}
    )
    #: By modality, its corpus' features and then its noise: what the pairs' row numbers count.
    FEATURES = {
        "image": [rules.features_image.output.features, rules.noise_image.output.features],
        "speech": [rules.features_speech.output.features, rules.noise_speech.output.features],
    }
    PAIRS = rules.pairs.output

#: By modality, its layers.
LAYERS = {name: config["model"][name] for name in MODALITIES}
