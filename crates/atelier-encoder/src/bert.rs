//! The model: MiniLM, a BERT of three layers. Its sizes are those of
//! `assets/config.json`.

use pulp::{Arch, Simd, WithSimd};

use crate::{
    Error, MAX_TOKENS,
    attention::{self, HIDDEN},
    functions::{Gelu, sum},
    linear::Linear,
    matrix::Matrix,
    weights::{Packed, Weights},
};

const INTERMEDIATE: usize = 1536;
const LAYERS: usize = 3;
pub(crate) const VOCABULARY: usize = 30_522;
const POSITIONS: usize = 512;
const KINDS: usize = 2;
const EPSILON: f32 = 1e-12;

pub(crate) struct Bert {
    /// What the processor can do.
    arch: Arch,
    words: Packed,
    positions: Packed,
    /// What the first sentence has of two; there is only one here.
    kinds: Packed,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Queries, keys and values.
    attention: Linear,
    attended: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

impl Bert {
    pub(crate) fn new() -> Result<Self, Error> {
        let weights = Weights::open()?;
        let embedding = |name: &str, rows| {
            weights.matrix(
                &format!("embeddings.{name}_embeddings.weight"),
                rows,
                HIDDEN,
            )
        };
        Ok(Self {
            arch: Arch::new(),
            words: embedding("word", VOCABULARY)?,
            positions: embedding("position", POSITIONS)?,
            kinds: embedding("token_type", KINDS)?,
            norm: Norm::new(&weights, "embeddings")?,
            layers: (0..LAYERS)
                .map(|layer| Layer::new(&weights, &format!("encoder.layer.{layer}")))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The sum of what the last layer makes of each token, at most [`MAX_TOKENS`].
    pub(crate) fn sum(&self, tokens: &[u32]) -> Vec<f32> {
        let mut hidden = self.embed(&tokens[..tokens.len().min(MAX_TOKENS)]);
        for layer in &self.layers {
            hidden = layer.apply(self.arch, hidden);
        }
        let mut sum = vec![0.0; HIDDEN];
        for row in hidden.iter() {
            for (sum, number) in sum.iter_mut().zip(row) {
                *sum += number;
            }
        }
        sum
    }

    fn embed(&self, tokens: &[u32]) -> Matrix {
        let mut hidden = Matrix::new(tokens.len(), HIDDEN);
        for (position, (token, row)) in tokens.iter().zip(hidden.iter_mut()).enumerate() {
            self.words.add_row(*token as usize, row);
            self.kinds.add_row(0, row);
            self.positions.add_row(position, row);
        }
        self.norm.apply(self.arch, &mut hidden);
        hidden
    }
}

impl Layer {
    fn new(weights: &Weights, name: &str) -> Result<Self, Error> {
        let part = |part: &str, outputs, inputs| {
            let name = format!("{name}.{part}");
            let matrix = weights.matrix(&format!("{name}.weight"), outputs, inputs)?;
            Ok((matrix, weights.vector(&format!("{name}.bias"), outputs)?))
        };
        let linear = |name, outputs, inputs| Linear::new(&[part(name, outputs, inputs)?]);
        Ok(Self {
            attention: Linear::new(&[
                part("attention.self.query", HIDDEN, HIDDEN)?,
                part("attention.self.key", HIDDEN, HIDDEN)?,
                part("attention.self.value", HIDDEN, HIDDEN)?,
            ])?,
            attended: linear("attention.output.dense", HIDDEN, HIDDEN)?,
            attention_norm: Norm::new(weights, &format!("{name}.attention.output"))?,
            widen: linear("intermediate.dense", INTERMEDIATE, HIDDEN)?,
            narrow: linear("output.dense", HIDDEN, INTERMEDIATE)?,
            norm: Norm::new(weights, &format!("{name}.output"))?,
        })
    }

    fn apply(&self, arch: Arch, mut hidden: Matrix) -> Matrix {
        let seen = attention::attend(arch, &self.attention.apply(arch, &hidden));
        hidden.add(&self.attended.apply(arch, &seen));
        self.attention_norm.apply(arch, &mut hidden);

        let mut wide = self.widen.apply(arch, &hidden);
        arch.dispatch(Gelu(wide.data_mut()));
        hidden.add(&self.narrow.apply(arch, &wide));
        self.norm.apply(arch, &mut hidden);
        hidden
    }
}

/// Rows of mean nought and variance one, stretched and shifted.
struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Norm {
    fn new(weights: &Weights, name: &str) -> Result<Self, Error> {
        Ok(Self {
            scale: weights.vector(&format!("{name}.LayerNorm.weight"), HIDDEN)?,
            shift: weights.vector(&format!("{name}.LayerNorm.bias"), HIDDEN)?,
        })
    }

    fn apply(&self, arch: Arch, matrix: &mut Matrix) {
        arch.dispatch(Normalization { norm: self, matrix });
    }
}

struct Normalization<'a> {
    norm: &'a Norm,
    matrix: &'a mut Matrix,
}

impl WithSimd for Normalization<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Norm { scale, shift } = self.norm;
        for row in self.matrix.iter_mut() {
            let mean = sum(row, |x| x) / HIDDEN as f32;
            let variance = sum(row, |x| (x - mean) * (x - mean)) / HIDDEN as f32;
            let narrow = (variance + EPSILON).sqrt().recip();
            for ((x, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
                *x = (*x - mean) * narrow * scale + shift;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Bert, EPSILON, HIDDEN, INTERMEDIATE, KINDS, LAYERS, POSITIONS, VOCABULARY};
    use crate::{attention::HEADS, tokens::Tokenizer};

    #[test]
    fn sizes_are_those_of_the_configuration() {
        let config: Value = serde_json::from_str(include_str!("../assets/config.json")).unwrap();
        for (name, ours) in [
            ("hidden_size", json!(HIDDEN)),
            ("intermediate_size", json!(INTERMEDIATE)),
            ("num_hidden_layers", json!(LAYERS)),
            ("num_attention_heads", json!(HEADS)),
            ("max_position_embeddings", json!(POSITIONS)),
            ("type_vocab_size", json!(KINDS)),
            ("vocab_size", json!(VOCABULARY)),
            ("hidden_act", json!("gelu")),
            ("position_embedding_type", json!("absolute")),
        ] {
            assert_eq!(config[name], ours, "{name}");
        }
        assert_eq!(config["layer_norm_eps"].as_f64().unwrap() as f32, EPSILON);
    }

    /// What other processors compute, this one can compute as well.
    #[test]
    fn every_processor_gets_the_same_vector() {
        let mut model = Bert::new().unwrap();
        let tokens = Tokenizer::new().encode("two red foxes and a lighthouse, in the snow");
        let sum = model.sum(&tokens);
        for arch in others() {
            model.arch = arch;
            for (a, b) in model.sum(&tokens).iter().zip(&sum) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn others() -> Vec<pulp::Arch> {
        let avx2 = pulp::x86::V3::try_new().map(pulp::Arch::V3);
        avx2.into_iter().chain([pulp::Arch::Scalar]).collect()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn others() -> Vec<pulp::Arch> {
        vec![pulp::Arch::Scalar]
    }
}
