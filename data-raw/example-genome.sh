#!/bin/sh
# Copies the genome and the annotation of Chlamydia trachomatis into inst/extdata.
#     sh data-raw/example-genome.sh DATA
# DATA holds genomes/ and annotation/prokka/; inst/extdata/README.md says where their content comes from.
# The sequence that Prokka appends to its GFF3 (##FASTA) is left out: it would ship twice.
# `gzip -n` keeps name and date out of the files: the same input gives the same bytes.
set -eu
data=${1:?which folder holds genomes/ and annotation/prokka/?}
extdata=$(dirname "$0")/../inst/extdata

gzip -dc "$data/genomes/Chlamydia_trachomatis_seqinr.fna.gz" | gzip -9n > "$extdata/chlamydia.fna.gz"
gzip -dc "$data/annotation/prokka/Chlamydia_trachomatis.prokka.gff.gz" | sed '/^##FASTA/,$d' | gzip -9n > "$extdata/chlamydia.gff.gz"
