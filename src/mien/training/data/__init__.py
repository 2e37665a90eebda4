"""What is trained on: pictures, their labels and a teacher's answers, made into batches."""
