"""Which operators a model may use: those whose code is a known part of onnxruntime.

com.microsoft is onnxruntime's own domain. Exporters need a part of it: its optimizer fuses
transformers into its operators, its quantizer and skl2onnx's text pipelines write some. The rest is
left out; EPContext, for one, holds machine code for an accelerator.
"""

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_CONTRIBUTED = """
    Attention BiasAdd BiasGelu BiasSoftmax BiasSplitGelu DecoderMaskedMultiHeadAttention DequantizeLinear
    DynamicQuantizeLSTM DynamicQuantizeMatMul EmbedLayerNormalization FastGelu FusedConv FusedGemm FusedMatMul
    GatedRelativePositionBias Gelu GemmFastGelu GroupNorm GroupQueryAttention Inverse MatMulInteger16
    MatMulIntegerToFloat MatMulNBits MultiHeadAttention MurmurHash3 NGramRepeatBlock NhwcMaxPool
    PackedAttention PackedMultiHeadAttention Pad QAttention QEmbedLayerNormalization QGemm QLinearAdd
    QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul
    QLinearReduceMean QLinearSigmoid QLinearSoftmax QLinearWhere QOrderedMatMul QuantizeLinear QuickGelu
    ReduceSumInteger RelativePositionBias RemovePadding RestorePadding RotaryEmbedding
    SimplifiedLayerNormalization SkipLayerNormalization SkipSimplifiedLayerNormalization Tokenizer
    TransposeMatMul Trilu Unique
"""
_KNOWN = frozenset(_CONTRIBUTED.split())


def is_known(domain: str, operator: str) -> bool:
    """Whether onnxruntime brings this operator, and nothing is held against it."""
    return domain in _DOMAINS or (domain == "com.microsoft" and operator in _KNOWN)
