//! A long text that repeats itself, deflated by hand: what no honest program writes in so few bytes.

/// Bits in the order deflate packs them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// Lowest bit first.
    fn push(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if value >> at & 1 == 1 {
                *self.bytes.last_mut().unwrap() |= 1 << (self.used % 8);
            }
            self.used += 1;
        }
    }

    /// A code of Huffman's: highest bit first.
    fn code(&mut self, code: u32, count: u32) {
        for at in (0..count).rev() {
            self.push(code >> at & 1, 1);
        }
    }
}

/// Head, then `pattern` (1 to 6 bytes of ASCII) as many times as `length` bytes hold, in one block of fixed codes.
pub fn repeated(head: &str, pattern: &str, length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(1, 1);
    bits.push(1, 2);
    for byte in head.bytes().chain(pattern.bytes()) {
        assert!(byte < 144);
        bits.code(0x30 + u32::from(byte), 8);
    }
    // 258 bytes at a time, from one pattern before.
    for _ in 0..length / 258 {
        bits.code(0b1100_0101, 8);
        match pattern.len() {
            near @ 1..=4 => bits.code(u32::try_from(near - 1).unwrap(), 5),
            5 => {
                bits.code(4, 5);
                bits.push(0, 1);
            }
            6 => {
                bits.code(4, 5);
                bits.push(1, 1);
            }
            far => panic!("a pattern of {far} bytes"),
        }
    }
    bits.code(0, 7);
    bits.bytes
}

/// What [`repeated`] makes, in bytes.
pub fn inflated(head: &str, pattern: &str, length: usize) -> usize {
    head.len() + pattern.len() + length / 258 * 258
}
