"""What a proposal is made by: suggestions combined, written as a diff, and looked at again."""
