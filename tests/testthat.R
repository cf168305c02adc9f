library(testthat)
library(nucleograd)

test_check("nucleograd")
