"""What the model can do on one core without any server: rows a second, from text to label.

Prints one JSON object: rows one by one, and eight at a time among rows of like length.
"""

import json
import time

from classifier import Classifier  # type: ignore[import-not-found]  # beside this file


def main() -> None:
    """Reads the texts, a JSON list, from standard input."""
    classifier, texts = Classifier(), json.loads(input())
    alike = sorted(texts, key=lambda text: len(classifier.encode([text])[0]))
    classifier.predict(alike[-8:])
    print(json.dumps({"alone": measure(classifier, texts, 1), "sorted": measure(classifier, alike, 8)}))


def measure(classifier: Classifier, texts: list[str], rows: int) -> float:
    """Rows a second when `rows` neighbours are run together."""
    began = time.perf_counter()
    for start in range(0, len(texts), rows):
        classifier.predict(texts[start : start + rows])
    return len(texts) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
