"""Operations that pyinfra lacks, in pyinfra's own style: facts, then a diff, then the smallest commands."""
