/* core/selective/cells.h: the partition of motif space. In each column the lattice {v / M : v whole, >= 0, sum M}; the cell of a PWM
 * is its nearest lattice point, column by column, which is also the cell's centre. */
#ifndef NG_SELECTIVE_CELLS_H
#define NG_SELECTIVE_CELLS_H

/* Largest-remainder rounding of one column (sums to 1): counts of A, C, G, T that sum to mesh. Remainders that differ by less than
 * 1e-9 are equal, and then A comes before C, G, T. */
void ng_round_column(const double column[4], int mesh, int counts[4]);

/* The centre of the cell that holds the PWM. */
void ng_cell_centre(const double *pwm, int k, int mesh, double *centre);

#endif
