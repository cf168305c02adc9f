# R/seism-core.R: the calls of the core behind seism(); shapes and units are at the top of src/bridge/seism.c.

core_activate <- function(sequences, pwms, bandwidth, both, run, frame = parent.frame())
    .Call(C_seism_activate, sequences, pwms, bandwidth, both, run, frame)

core_design <- function(sequences, rows, candidates, scoring, covariates, run, frame = parent.frame())
    .Call(C_seism_design, sequences, rows, candidates, scoring, covariates, run, frame)

core_design_matrix <- function(features, cells, scoring, covariates, run, frame = parent.frame())
    .Call(C_seism_design_matrix, features, cells, scoring, covariates, run, frame)

core_select <- function(design, y, q, run, frame = parent.frame())
    .Call(C_seism_select, design, y, q, run, frame)

core_member <- function(design, y, step, responses, run, frame = parent.frame())
    .Call(C_seism_member, design, y, step, responses, run, frame)

core_chains <- function(design, y, step, settings, chains, run, frame = parent.frame())
    .Call(C_seism_chains, design, y, step, settings, chains, run, frame)

core_trace <- function(design, y, step, settings, chain, burn, steps, run, frame = parent.frame())
    .Call(C_seism_trace, design, y, step, settings, chain, burn, steps, run, frame)

core_p_value <- function(null, statistic, stop_after)
    .Call(C_seism_p_value, null, statistic, stop_after)

core_autocorrelation <- function(trace)
    .Call(C_seism_autocorrelation, trace)

core_closed <- function(design, y, step, sigma, signs, level, run, frame = parent.frame())
    .Call(C_seism_closed, design, y, step, sigma, signs, level, run, frame)

core_permutations <- function(design, y, settings, proposals, chains, run, frame = parent.frame())
    .Call(C_seism_permutations, design, y, settings, proposals, chains, run, frame)

core_max_t <- function(design, y, draws, key, run, frame = parent.frame())
    .Call(C_seism_max_t, design, y, draws, key, run, frame)

core_split <- function(y, covariates, phi)
    .Call(C_seism_split, y, covariates, phi)

core_polish <- function(design, y, step, free, run, frame = parent.frame())
    .Call(C_seism_polish, design, y, step, free, run, frame)
