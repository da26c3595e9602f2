#!/usr/bin/env bash
# Workers of a search as a Slurm array. The search itself runs on one machine, in a job or a shell of its own:
#
#   sspec search --model org/name --study my-study --storage postgres://user@host/studies --workers 8
#   STUDY=my-study SSPEC_STORAGE=postgres://user@host/studies sbatch --array=1-8 slurm-workers.sh
#
# The password comes from ~/.pgpass, which the nodes share. A worker waits for the search to begin and ends with its trials; one
# that Slurm takes away loses nothing. All nodes need the same model, release and kind of CPU: a worker whose replay has other bits
# than that of the search says so and takes no part.
#SBATCH --job-name=sspec-worker
#SBATCH --array=1-8
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@60
#SBATCH --requeue
set -euo pipefail

: "${STUDY:?the name of the study}"
: "${SSPEC_STORAGE:?the database, postgres://user@host/name}"

# The worker itself gets Slurm's signal, and gives back what it cannot finish.
exec sspec worker --study "$STUDY" --threads "${SLURM_CPUS_PER_TASK:-1}" ${MODEL:+--model "$MODEL"}
