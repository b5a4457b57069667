package detector

// autoBrands is how many brands may appear that no rule file names, unless something else is said.
const autoBrands = 1000

// SetAutoBrands changes how many brands may appear that no rule file names, from the next batch on; see
// [Options].
func (d *Detector) SetAutoBrands(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n == 0 {
		n = autoBrands
	}
	d.opt.AutoBrands = n
}
