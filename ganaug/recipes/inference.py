"""Recipes that also learn to infer: from an image to the latent, or to the codes, that it comes from."""

from __future__ import annotations

from ganaug.data.spec import DataSpec
from ganaug.game import Adam, JointRound, LatentRound, Networks, Player, Prior, Recipe
from ganaug.losses import nonsaturating, r1
from ganaug.losses.inference import divergence, information, joint, r1_through_eye, reconstruction
from ganaug.networks.encoders import (
    BodyEye,
    Encoder,
    FeatureDiscriminator,
    Generator,
    JointDiscriminator,
    LabelledEncoder,
    LatentDiscriminator,
    Reader,
)
from ganaug.networks.eyes import OpenEye
from ganaug.recipes.named import recipe


@recipe
def bigan(
    width: int = 32,
    latent: int = 16,
    gamma: float = 1.0,
    lazy: int = 4,
    lr: float = 1e-3,
    batch: int = 64,
    conditional: bool = False,
) -> Recipe:
    """BiGAN (Donahue et al. 2017, 1605.09782, equation 3): the discriminator sees pairs of image and latent,
    min_{G,E} max_D E log D(x, E(x)) + E log(1 - D(G(z), z)); where it cannot tell them apart, E inverts G. Lazy R1
    (Mescheder et al. 2018) in place of the batch norm of the paper's discriminator.

        discriminator ×1: nonsaturating.discriminator + r1 (every 4)
        generator     ×1: joint.generator

    conditional: play with labels; what the labels say is then left out of the code, which is a poorer feature.

    Expect: share of other images farther from G(E(x)) than x 0.997 (0.997 to 0.997); digits: gain of E(x), 10 labels a
    class -0.0785 (-0.0788 to -0.0782); eurosat: gain of E(x), 10 labels a class 0.0575 (0.0308 to 0.0842) (MNIST (1,000
    images a class) and eurosat (120 a class) at 16 px, labels not used; 2 seeds, 8.7 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        classes = len(spec.classes)
        return {
            "generator": Generator(spec.shape, classes, prior.width, width, hidden=0),
            "encoder": Encoder(spec.shape, prior.width, width),
            "discriminator": JointDiscriminator(spec.shape, classes, prior.width, width),
            "eye": OpenEye(),
        }

    adam = Adam(lr, (0.5, 0.999))
    return Recipe(
        networks,
        (
            Player("discriminator", ("discriminator",), nonsaturating.discriminator + gamma * r1.every(lazy), adam),
            Player("generator", ("generator", "encoder"), joint.generator, adam),
        ),
        prior=Prior(latent),
        wiring=JointRound,
        memory=10_000,
        keeps=("generator", "encoder"),
        batch=batch,
        labelled=conditional,
    )


@recipe
def infogan(
    width: int = 32,
    noise: int = 16,
    categories: int = 10,
    codes: int = 2,
    weight: float = 1.0,
    code_weight: float = 0.05,
    gamma: float = 1.0,
    lazy: int = 4,
    lr: float = 1e-3,
    batch: int = 64,
) -> Recipe:
    """InfoGAN (Chen et al. 2016, 1606.03657, equation 6): min_{G,Q} max_D V(D, G) - weight L_I(G, Q), where L_I bounds
    the mutual information of images and codes: one one-hot code of `categories` values and `codes` uniform ones.

        discriminator ×1: nonsaturating.discriminator + information.categories + 0.05·information.uniform
            + r1_through_eye (every 4)
        generator     ×1: nonsaturating.generator + information.categories + 0.05·information.uniform

    The reader Q shares all but its last layers with the discriminator: their common body is the eye that both look
    through. Plays without labels.

    Expect: accuracy of codes, best matching 0.515 (0.507 to 0.523); its Spearman along a line, mean 0.949 (0.925 to
    0.973) (MNIST at 16 px, 1,000 images a class, labels not used; 2,000 test images; 2 seeds, 4.8 minutes of a
    processor each).

    The toy of the laws takes 350 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.width, width),
            "eye": BodyEye(spec.shape, width),
            "discriminator": FeatureDiscriminator(len(spec.classes)),
            "reader": Reader(prior.categories, prior.uniform),
        }

    adam = Adam(lr, (0.5, 0.999))
    informative = weight * information.categories + code_weight * information.uniform
    return Recipe(
        networks,
        (
            Player(
                "discriminator",
                ("eye", "discriminator", "reader"),
                nonsaturating.discriminator + informative + gamma * r1_through_eye.every(lazy),
                adam,
            ),
            Player("generator", ("generator",), nonsaturating.generator + informative, adam),
        ),
        prior=Prior(noise, (categories,), codes),
        memory=10_000,
        keeps=("generator", "eye", "reader"),
        batch=batch,
        labelled=False,
    )


@recipe
def aae(
    width: int = 32,
    latent: int = 8,
    lr: float = 5e-4,
    encoder_lr: float = 5e-4,
    gamma: float = 0.1,
    lazy: int = 4,
    batch: int = 64,
    conditional: bool = True,
) -> Recipe:
    """Adversarial autoencoder (Makhzani et al. 2015, 1511.05644, sections 2 and 4): the autoencoder lowers
    1/2 ||x - G(E(x), y)||², and the encoder plays min_E max_D E log D(z) + E log(1 - D(E(x))), so that codes are
    distributed like the prior. Lazy R1 (Mescheder et al. 2018) keeps the encoder from running in circles around it.

        autoencoder   ×1: reconstruction
        discriminator ×1: nonsaturating.discriminator + 0.1·r1 (every 4)
        encoder       ×1: nonsaturating.generator

    conditional: the generator is given the label (section 4) and the discriminator knows it, so that the codes of every
    class look like the prior: they hold what the label does not say, style. False: the plain system, for latent=2 the
    one that draws a map of the images.

    Expect: largest KS distance of a code 0.142 (0.117 to 0.157); largest |mean| of a code 0.288 (0.182 to 0.412);
    largest deviation from unit covariance 0.476 (0.412 to 0.545); agreement 0.933 (0.908 to 0.951); diversity 0.833
    (0.682 to 0.911); 2-D, no labels: largest KS distance of a code 0.0472 (0.0428 to 0.0541) (MNIST at 16 px, 1,000
    images a class; 2,000 test images; 3 seeds, 4.9 minutes of a processor each).
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        classes = len(spec.classes)
        return {
            "generator": Generator(spec.shape, classes, prior.width, width),
            "encoder": Encoder(spec.shape, prior.width, width),
            "discriminator": LatentDiscriminator(classes, prior.width),
        }

    adam = Adam(lr, (0.5, 0.999))
    return Recipe(
        networks,
        (
            Player("autoencoder", ("encoder", "generator"), reconstruction, adam),
            Player("discriminator", ("discriminator",), nonsaturating.discriminator + gamma * r1.every(lazy), adam),
            Player("encoder", ("encoder",), nonsaturating.generator, Adam(encoder_lr, (0.5, 0.999))),
        ),
        prior=Prior(latent),
        wiring=LatentRound,
        memory=10_000,
        keeps=("generator", "encoder"),
        batch=batch,
        labelled=conditional,
    )


@recipe
def vae(
    width: int = 32, latent: int = 16, noise: float = 0.5, lr: float = 1e-3, batch: int = 64, conditional: bool = True
) -> Recipe:
    """Variational autoencoder (Kingma & Welling 2014, 1312.6114, equation 10): one player, who lowers
    E -log p(x|z) + KL(q(z|x) || p(z)), minus the evidence lower bound; p(x|z) is normal around G(z, y) with standard
    deviation `noise` (of pixels in [-1, 1]).

        autoencoder ×1: 4·reconstruction + divergence

    conditional: generator and encoder are given the label, q(z|x, y) and p(x|z, y).

    Expect: minus the bound, last tenth 37 (37 to 37.1); agreement 0.951 (0.951 to 0.951); diversity 0.859 (0.826 to
    0.893) (MNIST at 16 px, 1,000 images a class; 2,000 test images; 2 seeds, 2.2 minutes of a processor each).

    The toy of the laws takes 100 rounds.
    """

    def networks(spec: DataSpec, prior: Prior) -> Networks:
        return {
            "generator": Generator(spec.shape, len(spec.classes), prior.width, width),
            "encoder": LabelledEncoder(spec.shape, len(spec.classes), prior.width, width),
        }

    loss = noise**-2 * reconstruction + divergence
    return Recipe(
        networks,
        (Player("autoencoder", ("encoder", "generator"), loss, Adam(lr, (0.9, 0.999))),),
        prior=Prior(latent),
        wiring=LatentRound,
        memory=10_000,
        keeps=("generator", "encoder"),
        batch=batch,
        labelled=conditional,
    )
