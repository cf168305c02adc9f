# R/keras-coverage.R: the table of layers in the documentation, and which tests stand behind it.

# The group of fixtures (tests/testthat/fixtures) in which a model with this class is held against Keras: values and gradients in
# test-fixtures.R; test-keras-coverage.R sees to it that none is missing, and writes each to read it again.
layer_fixtures <- list(
    stacks = c("InputLayer", "Dense"), conv = "Conv1D",
    kernels = c("SeparableConv1D", "DepthwiseConv1D", "Conv1DTranspose", "UpSampling1D", "RepeatVector", "Permute"),
    pooling = c("MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling1D"),
    normalization = c("BatchNormalization", "LayerNormalization"),
    activations = c("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax", "Dropout", "SpatialDropout1D",
                    "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization"),
    recurrent = c("LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU"), wrappers = c("Bidirectional", "TimeDistributed"),
    shapes = c("Flatten", "Reshape", "ZeroPadding1D", "Cropping1D", "Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum",
               "Minimum", "Dot"),
    masks = "Masking", attention = c("Embedding", "MultiHeadAttention"),
    transformers = c("layer_pos_embedding", "layer_pos_sinusoid", "layer_transformer_block"),
    sets = c("layer_aggregate_time_dist", "layer_euc_dist", "layer_cosine_sim"), graphs = c("Functional", "Sequential"))

layer_coverage <- function() {
    data.frame(class = unlist(layer_fixtures, use.names = FALSE), group = rep(names(layer_fixtures), lengths(layer_fixtures)))
}

layer_remarks <- c(
    Conv1D = "groups; strides or dilation; causal", Conv1DTranspose = "output_padding",
    Embedding = "on an input of the model; without mask_zero", MultiHeadAttention = "over one axis; masks of queries, keys and values",
    Masking = "masks go where Keras takes them", LSTM = "initial and returned states; masks", GRU = "both recurrences; states; masks",
    BatchNormalization = "one axis", LayerNormalization = "the last axis", Softmax = "the last axis", Dropout = "nothing, when a model predicts",
    layer_pos_embedding = "deepG", layer_pos_sinusoid = "deepG", layer_transformer_block = "deepG", layer_aggregate_time_dist = "deepG",
    layer_euc_dist = "deepG", layer_cosine_sim = "deepG", CuDNNLSTM = "older Keras; written as LSTM", CuDNNGRU = "older Keras; written as GRU",
    ThresholdedReLU = "Keras 2; written as ReLU", ZeroPadding1D = "channels first too",
    TimeDistributed = "of any layer or model but another TimeDistributed", Bidirectional = "five ways to merge")

# The table as roxygen reads it.
coverage_section <- function() {
    table <- layer_coverage()
    table <- table[order(table$group, method = "radix"), ]
    remark <- unname(layer_remarks[table$class])
    rows <- paste0("| ", table$class, " | yes | yes | yes | yes | ", table$group, " | ", ifelse(is.na(remark), "", remark), " |")
    paste(c("@section Layers:", "| layer | reads | predicts | differentiates | writes | compared with Keras in | |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            rows), collapse = "\n")
}

#' Layers that are computed
#'
#' What [read_model()] reads, [predict()][predict.Model] computes, [attribution()] differentiates and [write_model()] writes (its page
#' says what opens in one generation of Keras alone). Each row is a class of Keras or
#' of deepG, under the names that older versions gave it too, and is held against what Keras computes: outputs and gradients, by
#' the test group in the table (`tests/testthat/test-fixtures.R`, `test-keras-coverage.R`). Where Keras 2 and Keras 3 differ, the
#' version in the file decides.
#'
#' **Tokens.** An embedding reads whole numbers, which have no gradient. Here it reads one-hot rows of tokens, (length, tokens), and is
#' a matrix product: the same answer for every sequence, and between sequences that of a mixture of tokens. So a gradient or an
#' integrated gradient has a column for each token, the embedding's gradient times its table. [predict()][predict.Model] and
#' [attribution()] take arrays of whole numbers (samples, length), or of one-hot rows (samples, length, tokens).
#'
#' **Masks.** A masked position leaves the state of a recurrent layer as it was, and takes no part in an average or in attention.
#' Whether a row is masked does not change smoothly: from a baseline of the mask's value, the answer jumps where a path leaves it,
#' which no gradient sees and the completeness gap shows.
#'
#' **Channels first.** The convolutions and pooling layers with `data_format = "channels_first"` are computed as between two
#' exchanges of the axes.
#'
#' **Not computed**: layers of two and three dimensions (deepG makes none), `Lambda` and operations outside layers, layers of one's own but deepG's,
#' `SimpleRNN` and cells, `GroupNormalization`, stateful prediction. [read_model()] says so, with the name of the layer.
#' @eval coverage_section()
#' @name layers
#' @seealso [read_model()]
NULL
