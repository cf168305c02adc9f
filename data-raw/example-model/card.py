"""The model card, from the figures of the run that made the model."""
import textwrap
import split
from sequences import CHANCE, HITS, K
from windows import WIDTH


def tables(part):
    lines = ["| genome | 16S loci | windows with 16S | windows without | AUC | sensitivity | specificity | false positives |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {name.replace('_', ' ')} | {g['loci']} | {g['positive']} | {g['negative']} | {g['auc']:.5f} | "
              f"{g['sensitivity']:.3f} | {g['specificity']:.5f} | {g['false_positives']} |" for name, g in part["genomes"].items()]
    lines += ["", "| phylum | 16S genes | sensitivity | median logit |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {p['genes']} | {p['sensitivity']:.3f} | {p['median']:.1f} |" for name, p in part["phyla"].items()]
    lines += ["", "| windows without 16S | specificity |", "| --- | --- |"]
    lines += [f"| {name} | {value:.4f} |" for name, value in part["kinds"].items()]
    if part["ranks"]:
        lines += ["", "| annotation | features | ranks of the 16S genes | their mean scores | best other feature | completeness gap |",
                  "| --- | --- | --- | --- | --- | --- |"]
        lines += [f"| {name} | {r['features']} | {', '.join(map(str, r['places']))} | {r['last_16s']:.4f} to {r['first']:.4f} | "
                  f"{r['best_other']:.4f}: {r['other_name']} | {r['gap']:.3g} |" for name, r in part["ranks"].items()]
    return "\n".join(lines)


def layer_line(layer):
    config = layer.get_config()
    keys = ("filters", "units", "kernel_size", "pool_size", "padding", "activation")
    said = ", ".join(f"{key} {config[key]}" for key in keys if key in config)
    return f"| {type(layer).__name__} | {said} | {layer.output_shape} |"


def write(model, options, parts, shares, figures):
    training = split.training_names(options.data)
    genomes = lambda names: textwrap.fill(", ".join(name.replace("_", " ") for name in names), 120)
    rows = ["| part | 16S genes (RDP) | phyla | genomes |", "| --- | --- | --- | --- |"]
    for name, genes in parts.items():
        names = {"training": training, "validation": split.VALIDATION_GENOMES, "test": split.TEST_GENOMES}[name]
        rows.append(f"| {name} | {len(genes)} | {len({gene[0] for gene in genes})} | {len(names)} |")
    test = figures["test"]
    return f"""# Model card: rrna16s.h5

**Question.** Does a window of {WIDTH} bp hold (part of) a 16S rRNA gene, on either strand? One output, the probability;
its logit is the log-odds. Input: {WIDTH} rows, columns A, C, G, T, one-hot; 0.25 each for an unknown base.

**Made by** data-raw/example-model/train.py (`--filters {' '.join(map(str, options.filters))}`), TensorFlow 2.15.1, fixed seeds.
{model.count_params():,} parameters. Blocks in the order of deepG's create_model_lstm_cnn, without recurrent layers.

| layer | settings | output |
| --- | --- | --- |
{chr(10).join(layer_line(layer) for layer in model.layers)}

## Data
Windows with 16S come from the genes of the RDP training set 14 (no flanks) and from the genomes at their 16S loci (at least
half of the window is 16S). Loci are found by exact {K}-mers shared with RDP genes, on both strands, at least {HITS} of them;
places with {CHANCE + 1} to {HITS - 1} hits, and {split.MARGIN} bp on each side of a locus, train neither answer. A phylum weighs as the square root of
its number of genes; windows without 16S come from all genomes alike. Every window takes point mutations at a rate between 0 and 10 % and is turned to the
other strand half of the time. A batch holds {', '.join(f'{n} {kind}' for kind, n in shares.items())}:
genome = windows without 16S; operon = those within {split.NEAR} bp of 16S (23S, 5S, tRNA, spacers); trna = tRNA genes; random =
random sequence of GC 15-85 %; shuffled = 16S with its pairs of neighbours shuffled; blank = no base known; hard = windows of
training genomes that a first round of training found hardest.

{chr(10).join(rows)}

The tables below name the validation and test phyla: no gene or genome of theirs is in training. Listeria, Escherichia,
Mycobacterium, Campylobacter, Vibrio and Helicobacter are held out as genera: other genera of their phyla are in training, so
their figures are those of a new genus, not of a new phylum. The phylum Chlamydiae is held out from everything, the choice of
settings included: the example genome (*Chlamydia trachomatis*) is new to the network.
Left out: {genomes(sorted(split.UNUSED_GENOMES))} (same genus as a test genome).
Training genomes:
{genomes(training)}.

## Accuracy: test genomes and phyla
Not used for training, nor to choose settings. Threshold 0.5; a window every {WIDTH // 2} bp, both strands. Windows
with 16S are those of which it is at least half; those with less, or within {split.MARGIN} bp of a locus, are left out; all others, the places
with few hits included, are windows without.

{tables(test)}

Ranks: mean integrated gradients of each CDS, rRNA, tRNA and tmRNA (uniform baseline, logit, {test['nodes']} Gauss-Legendre nodes, windows
every {WIDTH // 2} bp, forward strand). The logit of the baseline is {test['blank']:.2f}.

## Accuracy: validation genomes and phyla
Settings were chosen by these: of two shares of hard negatives (10 and 30 in a batch of 256) the one with fewer false positives.

{tables(figures['validation'])}

## What it is not for
An example to learn and to test attributions with. It is no annotation tool (use barrnap or Infernal), gives no gene
boundaries, says nothing about taxonomy, and was not trained on eukaryotic nuclear, mitochondrial or viral sequence. Chloroplast
16S counts as 16S. With less than half a window of 16S the answer may go either way.

## Licence
Genes and genomes are public sequence records (INSDC, some in the copy of IMG); the 16S genes are those of the Ribosomal Database Project (Wang et al. 2007,
doi:10.1128/AEM.00062-07; Cole et al. 2014, doi:10.1093/nar/gkt1244). The weights are licensed like the package, GPL (>= 3).
"""
