"""Mixed data sets and loaders inside skorch, Ignite, MONAI and Keras."""

import os

import pytest
import torch

from ganaug.mixing.build import mix
from tests.mixing.test_frameworks import EPOCHS, TO_TENSOR, as_set, augmented, mixed, synthetic
from tests.toys import mixing as toy


class Watching(torch.nn.Module):
    """Remembers what it is shown, one list for each pass."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 3)
        self.passes = [[]]

    def forward(self, x):
        self.passes[-1].append(x.detach())
        return self.layer(x.mean((2, 3)))

    def seen(self):
        return [torch.cat(images) for images in self.passes if images]


def require_epochs(passes, items=60):
    """Half of every epoch is synthetic, and each shows other images."""
    assert [len(images) for images in passes] == [items] * EPOCHS
    assert [synthetic(images) for images in passes] == [items // 2] * EPOCHS
    assert len({frozenset(as_set(images)) for images in passes}) == EPOCHS


def test_skorch_trains_on_a_mixed_data_set(run):
    skorch = pytest.importorskip("skorch")
    network = Watching()

    class Next(skorch.callbacks.Callback):
        def on_epoch_begin(self, net, **kwargs):
            network.passes.append([])

    net = skorch.NeuralNetClassifier(
        network, criterion=torch.nn.CrossEntropyLoss, max_epochs=EPOCHS, batch_size=6, train_split=None, verbose=0,
        iterator_train__shuffle=True, callbacks=[Next()],
    )  # fmt: skip
    net.fit(mix(toy.Pictures(60, TO_TENSOR), run, ratio=0.5), y=None)
    require_epochs(net.module_.seen())


@pytest.mark.parametrize("make", [augmented, mixed])
def test_ignite_trains_on_a_mixed_loader(run, make):
    engine = pytest.importorskip("ignite.engine")
    network = Watching()
    trainer = engine.create_supervised_trainer(
        network, torch.optim.SGD(network.parameters(), 0.1), torch.nn.functional.cross_entropy
    )
    trainer.add_event_handler(engine.Events.EPOCH_STARTED, lambda: network.passes.append([]))
    trainer.run(make(run), max_epochs=EPOCHS)
    require_epochs(network.seen())


def test_monai_loads_a_mixed_data_set(run):
    data = pytest.importorskip("monai.data")
    loader = data.DataLoader(mix(toy.Pictures(60, TO_TENSOR), run, ratio=0.5), batch_size=6, shuffle=True)
    require_epochs([torch.cat([torch.as_tensor(x) for x, _ in loader]) for _ in range(EPOCHS)])


def test_keras_fits_on_a_mixed_loader(run, monkeypatch):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    seen = []

    class Watch(keras.layers.Layer):
        def call(self, x, training=None):
            if training and x.device.type != "meta" and len(x) == 6:
                seen.append(x.detach().clone())
            return x

    layers = [keras.layers.Input((1, 8, 8)), Watch(), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    model.fit(mixed(run), epochs=EPOCHS, verbose=0, shuffle=False)
    require_epochs(list(torch.cat(seen).split(60)))
