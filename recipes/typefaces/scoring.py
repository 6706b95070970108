"""How well designers and years are told from glyphs: from one, and from a font's glyphs together."""

import collections

import numpy


def scores(log_p, truth):
    """Top-1, top-5 and log loss in nats of log probabilities [rows, labels]."""
    own = log_p[numpy.arange(len(truth)), truth]
    rank = (log_p > own[:, None]).sum(axis=1)
    return {"count": len(truth), "top1": float((rank < 1).mean()), "top5": float((rank < 5).mean()), "log_loss": float(-own.mean())}


def by_font(log_p, log_prior, documents):
    """Log probabilities for each font: the evidence of its glyphs against the prior added up, as if they were independent."""
    rows = collections.defaultdict(list)
    for row, document in zip(log_p, documents):
        rows[document["family"]].append(row - log_prior)
    sums = numpy.stack([numpy.sum(own, axis=0) + log_prior for own in rows.values()])
    sums -= sums.max(axis=1, keepdims=True)
    return sums - numpy.log(numpy.exp(sums).sum(axis=1, keepdims=True)), list(rows)


def prior_of(training, names):
    counts = collections.Counter(d["designer"] for d in training)
    return numpy.log(numpy.array([counts[name] for name in names]) / sum(counts[name] for name in names))


def judge(log_p, documents, training, names):
    """Scores of glyphs and of fonts; log_p has a column for each of the names."""
    place = {name: i for i, name in enumerate(names)}
    designer = {d["family"]: d["designer"] for d in documents}
    fonts, families = by_font(log_p, prior_of(training, names), documents)
    return {"glyph": scores(log_p, numpy.array([place[d["designer"]] for d in documents])),
            "font": scores(fonts, numpy.array([place[designer[family]] for family in families]))}


def year_errors(predicted, documents):
    """Mean and median absolute error of glyphs, and of fonts by the mean of their glyphs' years."""
    years = numpy.array([d["year"] for d in documents])
    rows = collections.defaultdict(list)
    for value, document in zip(predicted, documents):
        rows[document["family"], document["year"]].append(value)
    fonts = [abs(numpy.mean(own) - year) for (_, year), own in rows.items()]
    glyph = numpy.abs(predicted - years)
    return {"glyph_mean": float(glyph.mean()), "glyph_median": float(numpy.median(glyph)),
            "font_mean": float(numpy.mean(fonts)), "font_median": float(numpy.median(fonts))}
