"""What a run knows about images: features of its encoder, reader or discriminator, and how far a few labels carry."""
