package staging

// SetBlock makes blocks smaller, so that tests need fewer octets.
func (c *Config) SetBlock(n int64) { c.block = n }
