"""Mixed loaders and data sets inside Accelerate, Lightning, timm and imbalanced-learn: wrapped, sharded, same bytes."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.transforms import v2

from ganaug.errors import EpochWarning
from ganaug.mixing.build import mix
from ganaug.mixing.imbalanced import GANSampler
from ganaug.mixing.loader import augment_loader
from tests.toys import mixing as toy

TO_TENSOR = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
EPOCHS = 3


def augmented(run):
    """60 items, half of them synthetic, in batches of 6."""
    return augment_loader(DataLoader(toy.Pictures(60, TO_TENSOR), batch_size=6, shuffle=True), run, ratio=0.5)


def mixed(run):
    return DataLoader(mix(toy.Pictures(60, TO_TENSOR), run, ratio=0.5), batch_size=6, shuffle=True)


def mixed_with_workers(run):
    return DataLoader(mixed(run).dataset, batch_size=6, shuffle=True, num_workers=1)


def mixed_with_workers_that_stay(run):
    return DataLoader(mixed(run).dataset, batch_size=6, shuffle=True, num_workers=2, persistent_workers=True)


def images_of(loader) -> torch.Tensor:
    """One epoch."""
    return torch.cat([x for x, _ in loader])


def synthetic(images) -> int:
    return sum(toy.is_synthetic(image) for image in images)


def as_set(images) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_accelerate_prepares_the_loader_and_serves_the_same_bytes(run):
    accelerate = pytest.importorskip("accelerate")
    plain, prepared = augmented(run), accelerate.Accelerator(cpu=True).prepare(augmented(run))
    assert isinstance(prepared, accelerate.data_loader.DataLoaderShard)  # other things are passed through as they are
    assert len(prepared) == 10
    passes = [images_of(prepared) for _ in range(EPOCHS)]
    for images in passes:
        assert torch.equal(images, images_of(plain))
    assert as_set(passes[0]) != as_set(passes[1])


def test_accelerate_shards_the_loader_over_ranks(run):
    data_loader = pytest.importorskip("accelerate.data_loader")
    whole = augmented(run)
    ranks = [
        data_loader.prepare_data_loader(augmented(run), num_processes=2, process_index=rank, put_on_device=False)
        for rank in range(2)
    ]
    for _ in range(EPOCHS):
        shares = [images_of(rank) for rank in ranks]
        assert [len(share) for share in shares] == [30, 30]
        assert sum(synthetic(share) for share in shares) == 30
        assert as_set(shares[0]) | as_set(shares[1]) == as_set(images_of(whole))


def test_accelerate_tells_a_mixed_data_set_its_epoch(run):
    accelerate = pytest.importorskip("accelerate")
    prepared = accelerate.Accelerator(cpu=True).prepare(mixed(run))
    passes = [images_of(prepared) for _ in range(EPOCHS)]
    assert [synthetic(images) for images in passes] == [30] * EPOCHS
    assert len({frozenset(as_set(images)) for images in passes}) == EPOCHS


@pytest.mark.parametrize("make", [augmented, mixed, mixed_with_workers_that_stay])
def test_accelerate_begins_the_next_epoch_after_a_pass_that_is_left_early(run, make):
    accelerate = pytest.importorskip("accelerate")
    prepared = accelerate.Accelerator(cpu=True).prepare(make(run))
    passes = [as_set(torch.cat([x for (x, _), _ in zip(prepared, range(5), strict=False)])) for _ in range(2)]
    passes += [as_set(images_of(prepared)) for _ in range(2)]
    made = [frozenset(image for image in some if toy.is_synthetic(np.frombuffer(image, np.float32))) for some in passes]
    assert all(one.isdisjoint(other) for at, one in enumerate(made) for other in made[at + 1 :])


def test_an_order_that_comes_again_in_every_epoch_is_told(run):
    dataset = mix(toy.Pictures(60, TO_TENSOR), run, ratio=0.5)
    sampler = DistributedSampler(dataset, num_replicas=2, rank=0)
    loader = DataLoader(dataset, batch_size=10, sampler=sampler)

    def passes(*told):
        for epoch in range(3):
            for one in told:
                one.set_epoch(epoch)
            list(loader)

    with pytest.warns(EpochWarning, match="sampler.set_epoch"):
        passes(dataset)  # as in timm's train.py
    passes(dataset, sampler)


def test_fabric_sets_up_the_loader_and_serves_the_same_bytes(run):
    fabric = pytest.importorskip("lightning.fabric")
    plain, loader = augmented(run), fabric.Fabric(accelerator="cpu", devices=1).setup_dataloaders(augmented(run))
    assert type(loader).__name__ == "_FabricDataLoader"
    for _ in range(EPOCHS):
        assert torch.equal(images_of(loader), images_of(plain))


def test_lightning_shards_our_sampler_over_ranks(run):
    distributed = pytest.importorskip("lightning.fabric.utilities.distributed")
    whole, ranks = augmented(run), []
    for rank in range(2):  # what Fabric and the Trainer make of a loader whose sampler they do not know
        loader = augmented(run)
        sampler = distributed.DistributedSamplerWrapper(loader.sampler, num_replicas=2, rank=rank)
        ranks.append(DataLoader(loader.dataset, batch_size=6, sampler=sampler))
    for epoch in range(EPOCHS):
        for loader in ranks:
            loader.sampler.set_epoch(epoch)
        shares = [images_of(loader) for loader in ranks]
        assert [len(share) for share in shares] == [30, 30]
        assert as_set(shares[0]) | as_set(shares[1]) == as_set(images_of(whole))


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("make", [augmented, mixed, mixed_with_workers, mixed_with_workers_that_stay])
def test_the_lightning_trainer_sees_every_epoch(run, tmp_path, make):
    lightning = pytest.importorskip("lightning.pytorch")

    class Classifier(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.linear, self.seen = torch.nn.Linear(64, 3), [[] for _ in range(EPOCHS)]

        def training_step(self, batch, index):
            x, y = batch
            self.seen[self.current_epoch].append(x)
            return torch.nn.functional.cross_entropy(self.linear(x.flatten(1)), y)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    model, plain = Classifier(), make(run)
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, max_epochs=EPOCHS, barebones=True, default_root_dir=tmp_path
    )
    trainer.fit(model, make(run))
    for seen in model.seen:
        assert as_set(torch.cat(seen)) == as_set(images_of(plain))
        assert synthetic(torch.cat(seen)) == 30
    assert len({frozenset(as_set(torch.cat(seen))) for seen in model.seen}) == EPOCHS


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning", "ignore:.*pin_memory:UserWarning")
@pytest.mark.parametrize("told", [False, True], ids=["untold", "told"])
@pytest.mark.parametrize("settings", [{}, {"use_prefetcher": True}, {"use_multi_epochs_loader": True}], ids=str)
def test_timms_training_loader_serves_other_images_in_every_epoch(run, told, settings):
    """Told as timm's training script does it, with `set_epoch` of the data set."""
    timm = pytest.importorskip("timm.data")
    dataset = mix(toy.Pictures(mode="RGB"), run, ratio=0.5, pool_epochs=8)
    settings = {
        "use_prefetcher": False,
        "num_workers": 1,
        "no_aug": True,
        "mean": (0, 0, 0),
        "std": (1, 1, 1),
    } | settings
    loader = timm.create_loader(dataset, (3, 8, 8), 6, is_training=True, device=torch.device("cpu"), **settings)
    passes = []
    for epoch in range(EPOCHS):
        if told:
            dataset.set_epoch(epoch)
        passes.append([x[:, :1].clone() for x, _ in loader])
    images = [image for batches in passes for image in torch.cat(batches) if toy.is_synthetic(image)]
    if "use_multi_epochs_loader" in settings:  # one pass for all epochs: they change within a few batches
        assert len(as_set(images)) > 0.9 * len(images) > 22 * EPOCHS
    else:
        assert [synthetic(torch.cat(batches)) for batches in passes] == [30] * EPOCHS
        assert len(as_set(images)) == len(images)


def test_a_loop_that_looks_at_a_batch_first_sees_every_epoch(run):
    """As Keras does, to learn the shape of a batch."""
    loader = mixed(run)
    next(iter(loader))
    passes = [images_of(loader) for _ in range(EPOCHS)]
    assert [synthetic(images) for images in passes] == [30] * EPOCHS
    assert len({frozenset(as_set(images)) for images in passes}) == EPOCHS


def flatten(images):
    return images.reshape(len(images), -1) / 255


def test_an_imbalanced_learn_pipeline_resamples_in_fit_only(run):
    pipeline = pytest.importorskip("imblearn.pipeline")
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.preprocessing import FunctionTransformer

    y = np.array(toy.labels(24))
    x = np.stack([toy.real_pixels(i, label) for i, label in enumerate(y)])
    steps = [
        ("gan", GANSampler(run, classes=toy.CLASSES)),
        ("flatten", FunctionTransformer(flatten)),
        ("classify", LogisticRegression()),
    ]
    fitted = pipeline.Pipeline(steps).fit(x, y)
    assert fitted.named_steps["gan"].sampling_strategy_ == {0: 0, 1: 4, 2: 8}
    assert len(fitted.predict(x)) == 24
    assert fitted.score(x, y) == 1
    search = GridSearchCV(pipeline.Pipeline(steps), {"gan__sampling_strategy": ["minority", "auto"]}, cv=2).fit(x, y)
    assert search.best_score_ > 0.9
