"""Adam over shuffled batches, and the average of a few members that differ in their seed only.

Knows nothing of files or ONNX, and reads the held-out sentences nowhere. The same seeds on the
same machine give the same weights, bit for bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tokenizers import Tokenizer

from examples.models import arrays, corpus, tokenizer
from examples.models.arrays import Integers, Parameters, Reals
from examples.models.corpus import Sentence


class Classifier(Protocol):
    """What a model must offer to be trained here."""

    def initial(self, *, vocabulary: int, random: np.random.Generator) -> Parameters: ...

    def logits(self, parameters: Parameters, ids: Integers) -> Reals: ...

    def gradients(
        self, parameters: Parameters, ids: Integers, labels: Integers, *, random: np.random.Generator
    ) -> tuple[float, Parameters]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how hard to learn. `forgetting` is the share of words shown as unknown."""

    epochs: int
    rate: float
    members: int
    forgetting: float = 0.2
    decay: float = 0.01
    batch: int = 32


@dataclass(frozen=True, slots=True)
class Trained:
    """A tokenizer and the members that learned with it; their logits are averaged."""

    classifier: Classifier
    words: Tokenizer
    members: tuple[Parameters, ...]

    def logits(self, texts: list[str]) -> Reals:
        """Return logits [n, labels] of n texts."""
        ids = tokenizer.encode(self.words, texts)
        answers = [self.classifier.logits(member, ids) for member in self.members]
        return np.asarray(np.mean(answers, axis=0))

    def probabilities(self, texts: list[str]) -> Reals:
        """Return probabilities [n, labels] of n texts."""
        return arrays.softmax(self.logits(texts))


def train(classifier: Classifier, recipe: Recipe, sentences: tuple[Sentence, ...]) -> Trained:
    """Return the members with seeds 0, 1, …, learned from `sentences` alone."""
    words = tokenizer.learn(sentence.text for sentence in sentences)
    members = [_member(classifier, recipe, sentences, words=words, seed=n) for n in range(recipe.members)]
    return Trained(classifier, words, tuple(members))


def accuracy(trained: Trained, sentences: tuple[Sentence, ...]) -> float:
    """Return the share of sentences that are judged as labelled, 0 to 1."""
    judged = trained.logits([sentence.text for sentence in sentences]).argmax(axis=1)
    return float(np.mean(judged == _labels(sentences)))


def cross_validated(classifier: Classifier, recipe: Recipe) -> float:
    """Return the mean accuracy on one topic after learning from all the others.

    Whole topics, because most remarks have their opposite beside them: with a random split the
    opposite of every test sentence would be in the training part.
    """
    sentences = corpus.training()
    topics = corpus.groups(sentences)
    return float(np.mean([_without(topic, classifier, recipe, sentences) for topic in topics]))


def _without(topic: str, classifier: Classifier, recipe: Recipe, sentences: tuple[Sentence, ...]) -> float:
    others = tuple(sentence for sentence in sentences if sentence.group != topic)
    unseen = tuple(sentence for sentence in sentences if sentence.group == topic)
    return accuracy(train(classifier, recipe, others), unseen)


def _member(
    classifier: Classifier, recipe: Recipe, sentences: tuple[Sentence, ...], *, words: Tokenizer, seed: int
) -> Parameters:
    random = np.random.default_rng(seed)
    ids = tokenizer.encode(words, [sentence.text for sentence in sentences])
    labels = _labels(sentences)
    parameters = classifier.initial(vocabulary=words.get_vocab_size(), random=random)
    step = _adam(parameters, recipe)
    for _ in range(recipe.epochs):
        order = random.permutation(len(ids))
        for start in range(0, len(order), recipe.batch):
            rows = order[start : start + recipe.batch]
            shown = _forget(_trim(ids[rows]), recipe.forgetting, random)
            _, gradients = classifier.gradients(parameters, shown, labels[rows], random=random)
            step(gradients)
    return parameters


def _adam(parameters: Parameters, recipe: Recipe) -> Callable[[Parameters], None]:
    """Return a step that moves `parameters` in place (Adam; weight decay apart from the gradient)."""
    means = {name: np.zeros_like(value) for name, value in parameters.items()}
    squares = {name: np.zeros_like(value) for name, value in parameters.items()}
    steps = 0

    def step(gradients: Parameters) -> None:
        nonlocal steps
        steps += 1
        for name, value in parameters.items():
            means[name] += 0.1 * (gradients[name] - means[name])
            squares[name] += 0.001 * (gradients[name] ** 2 - squares[name])
            mean, square = means[name] / (1.0 - 0.9**steps), squares[name] / (1.0 - 0.999**steps)
            decay = 0.0 if name == "bias" else recipe.decay
            value -= recipe.rate * (mean / (np.sqrt(square) + 1e-8) + decay * value)

    return step


def _trim(ids: Integers) -> Integers:
    return ids[:, : int((ids != tokenizer.PAD).sum(axis=1).max())]


def _forget(ids: Integers, share: float, random: np.random.Generator) -> Integers:
    """Show some words as unknown, so that the unknown word of tomorrow is no surprise."""
    gone = (random.random(ids.shape) < share) & (ids > tokenizer.START)
    return np.where(gone, tokenizer.UNKNOWN, ids)


def _labels(sentences: tuple[Sentence, ...]) -> Integers:
    return np.array([sentence.label for sentence in sentences], dtype=np.int64)
