"""Your own training with the Trainer of Hugging Face transformers: the best epoch on validation images is kept.

ganaug bench data/train --test data/test --run runs/leaves --out runs/own --train with_transformers.py:train
"""

import tempfile

import torch
from torchvision.transforms import v2
from transformers import PrinterCallback, ResNetConfig, ResNetForImageClassification, Trainer, TrainingArguments
from transformers.utils.logging import disable_progress_bar

SIDE, EPOCHS = 64, 30
TO_TENSOR = v2.Compose(
    [v2.RGB(), v2.Resize((SIDE, SIDE)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.5])]
)


def batch(items):
    """(PIL image, int) of any size and mode -> what the network takes."""
    pixels = torch.stack([TO_TENSOR(image) for image, _ in items])
    return {"pixel_values": pixels, "labels": torch.tensor([label for _, label in items])}


def train(dataset, *, validation, seed, device):
    """Items are (PIL image, int), with .classes and .targets; synthetic images are in `dataset` already."""
    disable_progress_bar()
    names = dict(enumerate(dataset.classes))
    config = ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64, 128], depths=[1, 1, 1], layer_type="basic", id2label=names,
        label2id={name: label for label, name in names.items()},
    )  # fmt: skip
    # pretrained: AutoModelForImageClassification.from_pretrained(NAME, id2label=names, ignore_mismatched_sizes=True)
    model = ResNetForImageClassification(config)
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder, num_train_epochs=EPOCHS, per_device_train_batch_size=32, per_device_eval_batch_size=64,
            learning_rate=1e-3, weight_decay=0.05, seed=seed, use_cpu=device.type == "cpu", eval_strategy="epoch",
            save_strategy="epoch", save_total_limit=1, load_best_model_at_end=True, logging_strategy="no",
            report_to="none", disable_tqdm=True, remove_unused_columns=False,
        )  # fmt: skip
        trainer = Trainer(model, settings, data_collator=batch, train_dataset=dataset, eval_dataset=validation)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return lambda data: torch.from_numpy(trainer.predict(data).predictions).softmax(1)
