"""Fitted models on a hub of the API of the package `huggingface-hub`, as safetensors."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ima.utils.extras import require

if TYPE_CHECKING:
    from ima.estimator.model import IMA

#: Files of a repository: what `IMA.save` writes, and the card that people read.
MODEL, CARD = "model.safetensors", "README.md"


class Hub:
    """The methods of `ima.IMA` that exchange models with a hub."""

    n_features_in_: dict[str, int]
    latent: int

    def _check_fitted(self) -> None:
        raise NotImplementedError

    def save(self, path: str | Path) -> None:
        """Write the model, as `ima.IMA` does."""
        raise NotImplementedError

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = True,
        license: str | None = None,
        token: str | None = None,
    ) -> str:
        """Upload the fitted model to a repository, which is made if there is none.

        The file is that of `save`: weights and settings, no code and no data. A repository without
        a README.md gets a short model card.

        Args:
            repo_id: name of the repository, as `user/model`.
            private: whether a new repository is private.
            license: licence of the model for its card, as `apache-2.0`. The licences of the
                training data may restrict it.
            token: access token; None for that of the package's login.

        Returns:
            The address of the commit.

        Raises:
            InputError: the model is not fitted.
            ImportError: huggingface-hub is not installed (extra `hub`).
        """
        self._check_fitted()
        api = require("huggingface_hub", "hub").HfApi(token=token)
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        with tempfile.TemporaryDirectory() as folder:
            self.save(Path(folder, MODEL))
            if not api.file_exists(repo_id, CARD):
                text = self._card(repo_id, license)
                Path(folder, CARD).write_text(text, encoding="utf-8")
            commit = api.upload_folder(
                repo_id=repo_id, folder_path=folder, commit_message="Upload IMA model"
            )
        return str(commit.commit_url)

    @classmethod
    def from_pretrained(
        cls,
        repo_id: str | Path,
        *,
        revision: str | None = None,
        token: str | None = None,
        device: str | torch.device | None = None,
        layers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> "IMA":
        """Return the model of a repository, or of a folder with a model.safetensors.

        Nothing but this file is read, and it holds no code: a pickle is never loaded.

        Args:
            repo_id: name of the repository, as `user/model`, or a folder.
            revision: branch, tag or commit; None for the newest. A commit cannot change later.
            token: access token; None for that of the package's login.
            device, layers: as in `load`.

        Raises:
            InputError: as `load`.
            ImportError: huggingface-hub is not installed (extra `hub`).
        """
        file = Path(repo_id, MODEL)
        if not Path(repo_id).is_dir():
            hub = require("huggingface_hub", "hub")
            file = hub.hf_hub_download(str(repo_id), MODEL, revision=revision, token=token)
        return cls.load(file, device, layers=layers)

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str | torch.device | None = None,
        *,
        layers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> "IMA":
        """Return the model of a file, as `ima.IMA` does."""
        raise NotImplementedError

    def _card(self, repo_id: str, license: str | None) -> str:
        """Return a model card in Markdown, after its front matter."""
        from ima.reporting.cards import front_matter  # needs PyYAML, which the hub's package has

        widths = ", ".join(f"{name} ({width})" for name, width in self.n_features_in_.items())
        return "\n".join(
            [
                front_matter({"license": license} if license else {}),
                f"# {repo_id.rpartition('/')[2]}",
                "An importance-based multimodal autoencoder (IMA). It maps its modalities to a",
                f"joint representation of {self.latent} dimensions and gives each item an",
                "importance in [0, 1].",
                "",
                f"Modalities (number of features): {widths}.",
                "",
                "```python",
                "from ima import IMA",
                "",
                f'model = IMA.from_pretrained("{repo_id}")',
                "```",
                "",
                "Training data, intended use and limits: to be written by the author.",
                "",
            ]
        )
