"""What trains, what chooses settings (validation) and what is only reported (test). Chlamydiae appear nowhere."""
from pathlib import Path
import numpy as np
from attribution import read_gff
from sequences import KnownGenes, read_fasta_file
from windows import MARGIN, WIDTH, Source, clean_starts, overlap

# The genus of each genome below gives no RDP sequence and no other genome to training; nor does any phylum below.
VALIDATION_GENOMES = {"Synechocystis_PCC6803": "Synechocystis", "Meiothermus_timidus_DSM17022": "Meiothermus",
                      "Vibrio_cholerae_N16961": "Vibrio", "Helicobacter_pylori_G27": "Helicobacter"}
TEST_GENOMES = {"Listeria_monocytogenes_FDA971911": "Listeria", "Escherichia_coli_536": "Escherichia/Shigella",
                "Mycobacterium_tuberculosis_H37Rv": "Mycobacterium", "Campylobacter_jejuni_CJ677CC034": "Campylobacter",
                "Akkermansia_muciniphila_BAA835": "Akkermansia"}
VALIDATION_PHYLA = {"Cyanobacteria/Chloroplast", "Deinococcus-Thermus", "Planctomycetes", "Aquificae", "Synergistetes"}
TEST_PHYLA = {"Verrucomicrobia", "Spirochaetes", "Fusobacteria", "Thermotogae"}
NEVER_PHYLA, NEVER_GENOMES = {"Chlamydiae"}, {"Chlamydia_trachomatis_seqinr"}
UNUSED_GENOMES = {"Escherichia_coli_K12_MG1655"}                     # same genus as a test genome
TRAINING_GFF = ("Bacillus_subtilis_168.prokka", "Exiguobacterium_sibiricum_7_3")
TEST_GFF = ("Listeria_monocytogenes_FDA971911.prokka", "Escherichia_coli_536.prokka")
STARTS_PER_GENOME = 60000               # so that every genome weighs the same
NEAR = 6000                             # bases beside a 16S gene that hold the rest of its operon


def read_genes(data):
    """Known 16S genes as (phylum, genus, codes), without Chlamydiae."""
    genes = []
    for header, codes in read_fasta_file(data / "rrna16s" / "rdp_train_set_14.fa.gz"):
        ranks = [rank for rank in header.split(";") if rank]
        phylum = ranks[1].strip("_") if len(ranks) > 1 else ranks[0]
        if phylum not in NEVER_PHYLA:
            genes.append((phylum, ranks[-1], codes))
    return genes


def split_genes(genes):
    genera = set(VALIDATION_GENOMES.values()) | set(TEST_GENOMES.values())
    parts = {"training": [], "validation": [], "test": []}
    for phylum, genus, codes in genes:
        part = "validation" if phylum in VALIDATION_PHYLA else "test" if phylum in TEST_PHYLA else "training"
        if part != "training" or genus not in genera:
            parts[part].append((phylum, genus, codes))
    return parts


class Genome:
    """A genome as one sequence, contig after contig, with the window starts that stay inside a contig and its 16S loci."""
    def __init__(self, contigs, known):
        self.codes = np.concatenate(contigs)
        self.starts, self.loci, self.doubtful = [], [], []
        offset = 0
        for codes in contigs:
            loci, doubtful = known.loci(codes)
            self.starts.append(clean_starts(codes) + offset)
            self.loci += [(a + offset, b + offset) for a, b in loci]
            self.doubtful += [(a + offset, b + offset) for a, b in doubtful]
            offset += len(codes)
        self.starts = np.concatenate(self.starts)

    def positive(self):
        """Starts of windows of which at least half is 16S."""
        return self.starts[overlap(self.starts, self.loci) >= WIDTH // 2]

    def negative(self):
        """Starts of windows that stay clear of every 16S locus."""
        return self.starts[overlap(self.starts, widen(self.loci + self.doubtful, MARGIN)) == 0]

    def near(self, starts):
        """Of these, the starts of windows beside a 16S locus: 23S, 5S, tRNA genes, spacers."""
        return starts[overlap(starts, widen(self.loci, NEAR)) > 0]


def widen(spans, by):
    return sorted((first - by, last + by) for first, last in spans)


def read_genomes(data, known, names):
    return {name: Genome([codes for _, codes in read_fasta_file(data / "genomes" / f"{name}.fna.gz")], known) for name in names}


def training_names(data):
    taken = set(VALIDATION_GENOMES) | set(TEST_GENOMES) | NEVER_GENOMES | UNUSED_GENOMES
    return sorted({path.name.removesuffix(".fna.gz") for path in Path(data, "genomes").glob("*.fna.gz")} - taken)


def gene_source(genes):
    """Windows of 16S genes without flanks. A phylum weighs as the square root of its number of genes."""
    phyla = [phylum for phylum, _, codes in genes]
    count = {phylum: phyla.count(phylum) for phylum in set(phyla)}
    starts, weights, offset = [], [], 0
    for phylum, _, codes in genes:
        here = clean_starts(codes) + offset
        starts.append(here)
        weights.append(np.full(len(here), count[phylum] ** -0.5))
        offset += len(codes)
    return Source(np.concatenate([codes for _, _, codes in genes]), np.concatenate(starts), np.concatenate(weights))


def genome_sources(genomes, rng):
    """Windows with 16S and true flanks, windows without, and windows beside 16S."""
    kinds, offset = {"locus": [], "genome": [], "operon": []}, 0
    for genome in genomes.values():
        negative = genome.negative()
        kinds["locus"].append(genome.positive() + offset)
        kinds["genome"].append(rng.choice(negative, STARTS_PER_GENOME) + offset)
        kinds["operon"].append(genome.near(negative) + offset)
        offset += len(genome.codes)
    codes = np.concatenate([genome.codes for genome in genomes.values()])
    return {kind: Source(codes, np.concatenate(starts)) for kind, starts in kinds.items()}


def trna(feature):
    return feature[1:3] if feature[3] == "tRNA" else None


def large_subunit(feature):
    """The 23S gene, which these annotations lack: it ends where the 5S gene of its operon begins."""
    if feature[3] != "rRNA" or not feature[4].startswith("5S"):
        return None
    return (feature[1] - 2900, feature[1] - 150) if feature[5] == "+" else (feature[2] + 150, feature[2] + 2900)


def feature_source(data, known, gffs, span, share):
    """Windows without 16S that hold at least `share` bases of what `span` finds: (start, end) or None for a feature."""
    codes, starts, offset = [], [], 0
    for gff in gffs:
        contigs, features = read_gff(data / "annotation" / "prokka" / f"{gff}.gff.gz")
        for name, contig in contigs.items():
            spans = sorted(filter(None, (span(feature) for feature in features if feature[0] == name)))
            negative = Genome([contig], known).negative()
            starts.append(negative[overlap(negative, spans) >= share] + offset)
            codes.append(contig)
            offset += len(contig)
    return Source(np.concatenate(codes), np.concatenate(starts))


def find_known(genes):
    return KnownGenes([codes for _, _, codes in genes])
