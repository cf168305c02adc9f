# R/seqlet-groups.R: seqlets that look alike, laid over each other, and the motifs they make.

#' Motifs among seqlets
#'
#' `group_seqlets()` lays seqlets over each other that have the same letters with the same scores, and `site_motifs()` counts the
#' letters of each group.
#'
#' A seqlet is compared by what it is made of: the scores of its bases and of their neighbours within a frame of `width` bp, each in
#' the channel of the base that is there. The strongest seqlet that belongs to no group begins one. Seqlets of the same sign join it
#' whose frame, moved by up to half its width and on either strand, has a cosine of at least `similarity` with it; the mean of the
#' group then takes the place of the first one, and who belongs to it is asked once more. A group's sites are cut to the columns
#' from the first to the last that carries at least 0.3 of what its strongest column carries.
#' @param seqlets A `GRanges` from [seqlets()].
#' @param scores The [Attribution-class] that they are from.
#' @param width Width of the frame in bp, 4 to 1,000; `NULL`: that of the widest seqlet, but at least 10.
#' @param similarity Cosine from which on a seqlet joins a group, above 0 and below 1.
#' @param top How many seqlets to group, strongest first, 1 to 10,000; the time it takes may grow with the square of it.
#' @param least Groups of fewer seqlets are dropped; 1 to 1,000,000.
#' @param sites What `group_seqlets()` gave, or any `GRanges` whose ranges are as wide as others with the same `motif`.
#' @param genome The `DNAStringSet` that the sites are on.
#' @return `group_seqlets()`: a `GRanges` of aligned sites, all those of a group equally wide and on the strand on which they look alike,
#'   with the columns `motif`, the name of the group (`motif_1` is that of the strongest seqlet), `score`, the sum of the scores of the
#'   site, and `similarity`. `site_motifs()`: a list, named by motif, of 4 x k matrices, rows A, C, G, T, columns of sum 1, each
#'   with the number of its sites as attribute `sites`; [write_meme_motifs()], [as_tfbstools()] and [match_motifs()] take it.
#' @section Errors: `nucleograd_error_argument`; `nucleograd_error_contigs`: sites on other contigs.
#' @source Greedy grouping by the scores themselves is the idea of TF-MoDISco, Shrikumar et al. (2018), \url{https://arxiv.org/abs/1811.00416}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 845001, 865000)
#' scores <- attribution(example_model(), piece, nodes = 5, step = 250)
#' sites <- group_seqlets(seqlets(scores), scores, least = 3)
#' motifs <- site_motifs(sites, piece)
#' vapply(motifs, attr, 0, "sites")
#' write_meme_motifs(motifs, tempfile(fileext = ".meme"))
#' @export
group_seqlets <- function(seqlets, scores, width = NULL, similarity = 0.6, least = 5, top = 2000) {
    check_is(seqlets, "GRanges", "seqlets")
    check_is(scores, "Attribution", "attribution")
    width <- if (is.null(width)) max(10, BiocGenerics::width(seqlets)) else check_number(width, 4, 1000)
    similarity <- check_positive(similarity, max = 1)
    least <- check_number(least, 1, 1e6)
    top <- check_number(top, 1, 1e4)
    if (is.null(seqlets$score)) stop_input("{.arg seqlets} must have a column {.field score}, as those of {.fun seqlets} have.")
    if (length(seqlets)) seqlets <- features_with_scores(seqlets, GenomeInfoDb::seqinfo(scores))
    seqlets <- seqlets[utils::head(order(-abs(seqlets$score)), top)]
    frames <- seqlet_frames(seqlets, scores, width)
    waiting <- seq_along(seqlets)
    sites <- list()
    while (length(waiting)) {
        first <- waiting[1]
        alike <- waiting[sign(seqlets$score[waiting]) == sign(seqlets$score[first])]
        placed <- place_seqlets(frames, alike, frame_at(frames, first, shift = 0), similarity)
        if (nrow(placed) > 1) placed <- place_seqlets(frames, alike, colMeans(turned_frames(frames, placed)), similarity)
        waiting <- setdiff(waiting, c(first, placed$seqlet))
        if (nrow(placed) < least) next
        group <- group_sites(placed, frames, seqlets, scores)
        if (length(group) < least) next
        group$motif <- rep(sprintf("motif_%d", length(sites) + 1), length(group))
        sites <- c(sites, list(group))
    }
    if (length(sites)) return(do.call(c, sites))
    GenomicRanges::GRanges(score = numeric(), similarity = numeric(), motif = character(), seqinfo = GenomeInfoDb::seqinfo(scores))
}

# The scores around each seqlet, a row each, 4 numbers a base: A, C, G, T; `width` bases in the middle and `reach` on both sides. `unit`:
# of each shift from -reach to reach the frame's numbers, as vectors of length 1.
seqlet_frames <- function(seqlets, scores, width) {
    reach <- width %/% 2
    span <- width + 2 * reach
    from <- (BiocGenerics::start(seqlets) + BiocGenerics::end(seqlets)) %/% 2 - width %/% 2 - reach
    contig <- as.character(GenomeInfoDb::seqnames(seqlets))
    circular <- GenomeInfoDb::isCircular(GenomeInfoDb::seqinfo(scores)) %in% TRUE
    content <- matrix(0, length(seqlets), 4 * span)
    for (name in unique(contig)) {
        score <- base_scores(scores, name)
        code <- as.integer(base_codes(scores@genome[[name]]))
        rows <- which(contig == name)
        at <- outer(from[rows], seq_len(span) - 1, `+`)
        if (circular[match(name, names(scores@scores))]) at <- on_contig(at, length(score))
        at[at < 1 | at > length(score)] <- NA
        here <- which(!is.na(at) & code[at] < 4 & !is.na(score[at]))
        content[cbind(rows[row(at)[here]], 4 * (col(at)[here] - 1) + code[at[here]] + 1)] <- score[at[here]]
    }
    frames <- list(content = content, from = from, width = width, reach = reach)
    frames$unit <- lapply(-reach:reach, function(shift) {
        frame <- frame_at(frames, seq_along(seqlets), shift)
        frame / pmax(sqrt(rowSums(frame^2)), .Machine$double.xmin)
    })
    frames
}

frame_at <- function(frames, rows, shift) frames$content[rows, 4 * (frames$reach + shift) + seq_len(4 * frames$width), drop = FALSE]

# Those seqlets that are like the pattern at some shift, on some strand: seqlet, shift, strand, similarity. Read backwards, a
# frame is its reverse complement.
place_seqlets <- function(frames, rows, pattern, similarity) {
    pattern <- as.numeric(pattern) / sqrt(sum(pattern^2))
    both <- cbind(pattern, rev(pattern))
    shifts <- seq_along(frames$unit) - frames$reach - 1
    shifts <- shifts[order(abs(shifts))]                                            # of equals the one that moves least
    cosine <- vapply(shifts, function(shift) frames$unit[[shift + frames$reach + 1]][rows, , drop = FALSE] %*% both, matrix(0, length(rows), 2))
    cosine <- matrix(aperm(cosine, c(1, 3, 2)), length(rows))                       # plus at all shifts, then minus
    best <- max.col(cosine, "first")
    placed <- data.frame(seqlet = rows, shift = rep(shifts, 2)[best], strand = rep(c("+", "-"), each = length(shifts))[best],
                         similarity = cosine[cbind(seq_along(rows), best)])
    placed[placed$similarity >= similarity, ]
}

turned_frames <- function(frames, placed) {
    content <- matrix(0, nrow(placed), 4 * frames$width)
    for (shift in unique(placed$shift)) content[placed$shift == shift, ] <- frame_at(frames, placed$seqlet[placed$shift == shift], shift)
    minus <- placed$strand == "-"
    content[minus, ] <- content[minus, rev(seq_len(ncol(content)))]
    content
}

# The sites of a group: on their contigs, each place once, cut to the columns that carry something.
group_sites <- function(placed, frames, seqlets, scores) {
    content <- turned_frames(frames, placed)
    carried <- abs(colSums(matrix(colMeans(content), 4)))
    kept <- range(which(carried >= 0.3 * max(carried)))
    width <- diff(kept) + 1
    start <- frames$from[placed$seqlet] + frames$reach + placed$shift + ifelse(placed$strand == "-", frames$width - kept[2], kept[1] - 1)
    known <- GenomeInfoDb::seqinfo(scores)
    contig <- as.character(GenomeInfoDb::seqnames(seqlets))[placed$seqlet]
    length_bp <- GenomeInfoDb::seqlengths(known)[contig]
    circular <- GenomeInfoDb::isCircular(known)[contig] %in% TRUE
    start <- ifelse(circular, on_contig(start, length_bp), start)
    fits <- start >= 1 & (circular | start + width - 1 <= length_bp) & !duplicated(paste(contig, start))
    columns <- 4 * (kept[1] - 1) + seq_len(4 * width)
    GenomicRanges::GRanges(contig[fits], IRanges::IRanges(start[fits], width = width), placed$strand[fits],
                           score = rowSums(content[, columns, drop = FALSE])[fits], similarity = placed$similarity[fits], seqinfo = known)
}

#' @rdname group_seqlets
#' @export
site_motifs <- function(sites, genome) {
    check_is(sites, "GRanges", "group_seqlets")
    check_is(genome, "DNAStringSet", "read_genome")
    if (is.null(sites$motif)) stop_input("{.arg sites} must have a column {.field motif}, as those of {.fun group_seqlets} have.")
    frame <- environment()
    groups <- split(seq_along(sites), factor(sites$motif, unique(sites$motif)))
    lapply(groups, function(rows) {
        width <- BiocGenerics::width(sites)[rows]
        if (any(width != width[1]))
            stop_input(c("The ranges of one motif must have the same width.", x = "{sites$motif[rows[1]]} has ranges of {unique(width)} bp."),
                       call = frame)
        counts <- Biostrings::consensusMatrix(region_sequences(genome, sites[rows]))[bases, , drop = FALSE]
        unknown <- colSums(counts) == 0                                             # N in every site
        counts[, unknown] <- 1
        structure(sweep(counts, 2, colSums(counts), "/"), sites = length(rows))
    })
}
