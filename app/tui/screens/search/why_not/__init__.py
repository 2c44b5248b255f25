"""Why a document is not in the list: picking it, the stages that it went through, and what would bring it back."""
