#!/bin/bash
# inst/slurm/array.sh: a share of a batch for each task of an array. Copy it, change what is in capitals, and submit it:
#     sbatch array.sh
# The same command after any end (time limit, lost node, scancel) goes on with what is open.
#SBATCH --job-name=nucleograd
#SBATCH --array=1-100
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --output=nucleograd-%A_%a.log
set -euo pipefail
program=$(Rscript -e 'cat(system.file("exec/nucleograd", package = "nucleograd"))')
"$program" batch MODEL.h5 GENOMES --out RESULTS --share "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
