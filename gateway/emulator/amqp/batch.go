package amqp

// BatchFormat is the message format of a batch: a message whose body is
// sections of data, each a whole encoded message.
const BatchFormat uint32 = 0x80013700

// DecodeMessages decodes what a delivery of some message format carries: one
// message, or those in the batch. The envelope of a batch repeats what its
// first message says, and is left out.
func DecodeMessages(format uint32, b []byte) ([]*Message, error) {
	m, err := DecodeMessage(b)
	if err != nil {
		return nil, err
	}
	if format != BatchFormat {
		return []*Message{m}, nil
	}
	data := m.Data()
	if len(data) == 0 {
		return nil, malformed("a batch without messages")
	}
	batch := make([]*Message, len(data))
	for i, b := range data {
		if batch[i], err = DecodeMessage(b); err != nil {
			return nil, err
		}
	}
	return batch, nil
}
