"""The demo district "Riverbend": made from a seed, through the same actions and bulk doors as everything else.

``world`` draws the numbers (who teaches whom, who took part when, what students scored) and knows the true effects;
``drawing`` draws a lesson with picture and sound; ``building`` puts both into the database.
"""
